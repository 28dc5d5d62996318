"""The chat page in a browser, at a desk and on a phone, with the whole program behind it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from tests import needs
from tests.browser.program import DESK, PHONE, Program, running

pytestmark = [pytest.mark.needs("browser"), pytest.mark.xdist_group("heavy")]
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
RED_DOT = (  # a picture of one red point
    b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x02\x00\x00\x00\x90wS\xde"
    b"\x00\x00\x00\x0cIDATx\x9cc\xf8\xcf\xc0\x00\x00\x03\x01\x01\x00\xc9\xfe\x92\xef\x00\x00\x00\x00IEND\xaeB`\x82"
)


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path, needs.browser()) as started:
        yield started
    assert started.troubles == []


async def enter(page: Page, room: str) -> None:
    await page.locator(".room-line", has_text=room).click()
    await expect(page.locator("#room-name")).to_have_text(room)


async def say(page: Page, text: str) -> None:
    await page.fill("#text", text)
    await page.click("#send")


@SIZES
async def test_an_owner_comes_by_his_card_files_an_appeal_and_gets_its_number(
    program: Program, size: tuple[int, int]
) -> None:
    page = await program.signed_in("张建国", size)
    await enter(page, "联企办事助手")
    await say(page, "诉求 车间电压低")
    await expect(page.locator(".post.mine")).to_contain_text("诉求 车间电压低")
    answer = page.locator(".post.bot").last
    await expect(answer).to_contain_text("#1")
    await expect(answer).to_contain_text("责任人：王敏")
    await expect(answer.locator(".keys button")).to_have_text(["补充", "撤回"])


@SIZES
async def test_a_cadre_presses_a_button_and_the_owner_hears_of_it_without_reloading(
    program: Program, size: tuple[int, int]
) -> None:
    owner, cadre = await program.signed_in("张建国", size), await program.signed_in("王敏", size)
    await enter(owner, "联企办事助手")
    await enter(cadre, "联企办事助手")
    await say(owner, "诉求 车间电压低")
    task = cadre.locator(".post.bot", has_text="#1").first
    await task.locator(".keys button", has_text="接单").click()
    await expect(owner.locator(".post.bot").last).to_contain_text("已接单")
    assert await program.database.reading(lambda tx: tx.one("SELECT status FROM appeals", {})) == {
        "status": "in_progress"
    }


@SIZES
async def test_what_is_said_in_a_group_arrives_at_once_and_an_unread_dot_tells_of_it(
    program: Program, size: tuple[int, int]
) -> None:
    owner, other = await program.signed_in("张建国", size), await program.signed_in("李芳", size)
    await enter(other, "联企办事助手")
    await enter(owner, "片区群")
    await say(owner, "下午现场会改到三点")
    if size == PHONE:
        await other.click("#back")
    line = other.locator(".room-line", has_text="片区群")
    await expect(line.locator(".unread")).to_have_text("1")
    await expect(line).to_contain_text("张建国：下午现场会改到三点")
    await line.click()
    await expect(other.locator(".post.firm")).to_contain_text("宏达机械")
    await expect(line.locator(".unread")).to_have_count(0)


@SIZES
async def test_a_photo_is_previewed_sent_and_shown(program: Program, size: tuple[int, int]) -> None:
    page = await program.signed_in("张建国", size)
    await enter(page, "宏达群")
    await page.click("#attach")
    async with page.expect_file_chooser() as chosen:
        await page.get_by_role("menuitem", name="照片").click()
    photo = FilePayload(name="配电柜.png", mimeType="image/png", buffer=RED_DOT)
    await (await chosen.value).set_files([photo])
    await expect(page.locator("#picked canvas")).to_be_visible()
    await page.click("#send")
    image = page.locator(".post.mine .photo img")
    await expect(image).to_have_attribute("alt", "配电柜.png")
    await expect(image).to_have_js_property("naturalWidth", 1)
    await expect(page.locator("#picked")).to_be_hidden()


@SIZES
async def test_a_message_is_replied_to_with_a_quotation(program: Program, size: tuple[int, int]) -> None:
    owner, other = await program.signed_in("张建国", size), await program.signed_in("李芳", size)
    await enter(owner, "片区群")
    await enter(other, "片区群")
    await say(owner, "谁家也停电了？")
    heard = other.locator(".post.firm", has_text="谁家也停电了？")
    if size == PHONE:
        await heard.locator(".bubble").tap()
    else:
        await heard.hover()
        await heard.get_by_role("button", name="回复 张建国").click()
    await expect(other.locator("#replying")).to_contain_text("谁家也停电了？")
    await say(other, "我家也是")
    answer = owner.locator(".post.firm", has_text="我家也是")
    await expect(answer.locator(".quote")).to_contain_text("谁家也停电了？")


async def test_a_form_that_did_not_arrive_can_be_sent_again_and_counts_once(program: Program) -> None:
    page = await program.signed_in("张建国")
    await enter(page, "宏达群")
    await page.route("**/say", lambda route: route.abort())
    await say(page, "断网时写的")
    retry = page.get_by_role("button", name="没有发出去 · 重发")
    await expect(retry).to_be_visible()
    await page.unroute("**/say")
    await retry.click()
    await expect(page.locator(".post.mine .foot time")).to_be_visible()
    await expect(page.locator(".post.mine")).to_have_count(1)
    program.troubles.clear()  # the browser reports the broken connection


async def test_what_people_write_never_becomes_markup(program: Program) -> None:
    page = await program.signed_in("张建国")
    await enter(page, "宏达群")
    evil = '<img src=x onerror=alert(1)> https://example.org/?q="><script> 【<b>】 #12'
    await say(page, evil)
    await expect(page.locator(".post.mine .words-of")).to_have_text(evil)
    assert await page.locator(".post.mine .words-of a").get_attribute("href") == "https://example.org/?q="
    assert await page.locator(".post.mine .words-of > :not(a, span)").count() == 0


async def test_enter_sends_but_not_while_an_input_method_composes(program: Program) -> None:
    page = await program.signed_in("张建国")
    await enter(page, "宏达群")
    await page.fill("#text", "ni hao")
    await page.dispatch_event("#text", "keydown", {"key": "Enter", "isComposing": True})
    await expect(page.locator("#text")).to_have_value("ni hao")
    await page.press("#text", "Shift+Enter")
    await expect(page.locator("#text")).to_have_value("ni hao\n")
    await page.press("#text", "Enter")
    await expect(page.locator(".post.mine")).to_contain_text("ni hao")


async def test_a_chip_that_needs_words_waits_for_them_and_others_are_sent(program: Program) -> None:
    page = await program.signed_in("张建国")
    await enter(page, "联企办事助手")
    chips = page.get_by_role("group", name="常用指令")
    await chips.get_by_role("button", name="诉求").click()
    await expect(page.locator("#text")).to_have_value("诉求 ")
    await expect(page.locator("#text")).to_be_focused()
    await page.fill("#text", "")
    await chips.get_by_role("button", name="帮助").click()
    await expect(page.locator(".post.bot", has_text="有事一句话就行").last).to_be_visible()


async def test_the_phone_goes_back_to_the_list(program: Program) -> None:
    page = await program.signed_in("张建国", PHONE)
    await enter(page, "宏达群")
    await expect(page.locator(".rooms")).to_be_hidden()
    await page.get_by_role("button", name="返回会话列表").click()
    await expect(page.locator(".rooms")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def test_nothing_is_cut_off_at_360_pixels(program: Program) -> None:
    page = await program.signed_in("张建国", PHONE)
    await page.set_viewport_size({"width": 360, "height": 640})
    await enter(page, "联企办事助手")
    await say(page, "诉求 " + "车间电压低" * 20 + " https://example.org/" + "x" * 120)
    await expect(page.locator(".post.bot").first).to_be_visible()
    assert await page.evaluate("document.querySelector('#scroll').scrollWidth <= innerWidth")
    box = await page.locator("#send").bounding_box()
    assert box is not None
    assert box["x"] + box["width"] <= 360


async def test_signing_out_leads_to_the_door(program: Program) -> None:
    page = await program.signed_in("张建国")
    await page.get_by_role("button", name="退出").click()
    await expect(page.get_by_label("邀请码")).to_be_visible()
    program.troubles = [line for line in program.troubles if "401" not in line]  # of what was under way


async def test_a_session_that_ends_elsewhere_shows_the_door(program: Program) -> None:
    page = await program.signed_in("张建国")
    await enter(page, "宏达群")
    await program.database.transaction(lambda tx: tx.run("UPDATE sessions SET closed_at = 1", {}))
    await expect(page.get_by_label("邀请码")).to_be_visible(timeout=15_000)
    program.troubles.clear()  # the browser reports the 401
