"""What people write, in whatever field, is shown as words in a browser and runs nothing."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import FilePayload, Page, expect

from storage.database import Tx
from tests import needs
from tests.browser.program import DESK, Program, running
from tests.browser.test_chat import RED_DOT, enter, say
from tests.browser.test_slips import slip
from tests.needs import count
from tests.security.hostile import MARKUP, PAYLOADS
from tests.summary import Tally

pytestmark = [pytest.mark.needs("browser"), pytest.mark.xdist_group("heavy"), pytest.mark.timeout(300)]
SAID = [text for text in PAYLOADS if text.isprintable()][: count(30, 500)]
SCRIPT = '<img src=x onerror=alert(1)><script>alert(2)</script>"\'><svg/onload=alert(3)>'
NAMED = ("people", "enterprises", "departments", "chats")
FOREIGN = (
    "main script, main iframe, main object, main svg[onload], [onerror], [onclick], "
    "a[href^='javascript'], a[href*='evil']"
)
TOO_FAST = "429 (Too Many Requests)"
"""The page waits and says it again when it is told so."""


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path, needs.browser()) as started:
        yield started
    troubles = [line for line in started.troubles if TOO_FAST not in line]
    assert troubles == [], "a script was stopped by the page's policy, or ran into an error"


async def rename_everything(tx: Tx) -> None:
    """Every name that a page can show bears a script."""
    for table in NAMED:
        await tx.run(f"UPDATE {table} SET name = name || :script", {"script": SCRIPT})
    await tx.run("UPDATE enterprises SET short_name = short_name || :script", {"script": SCRIPT})


async def watched(program: Program, name: str, alarms: list[str]) -> Page:
    page = await program.signed_in(name, DESK)
    page.on("dialog", lambda dialog: alarms.append(dialog.message))
    return page


async def look_around(page: Page) -> None:
    """Through every room, and up to the first word that was said there."""
    rooms = page.locator(".room-line")
    for n in range(await rooms.count()):
        await rooms.nth(n).click()
        await page.mouse.wheel(0, -5000)
        assert await page.locator(FOREIGN).count() == 0


async def test_names_and_words_with_scripts_run_nothing(program: Program, tally: Tally) -> None:
    alarms: list[str] = []
    owner, cadre = await watched(program, "张建国", alarms), await watched(program, "王敏", alarms)
    await enter(owner, "联企办事助手")
    await say(owner, f"诉求 {SCRIPT}")
    await expect(owner.locator(".post.bot").last).to_contain_text("#1")
    await program.database.transaction(rename_everything)
    for n, text in enumerate(SAID):
        await say(owner, f"补充 1 {text}")
        await expect(owner.locator(".post.mine")).to_have_count(n + 2)
    files: list[FilePayload] = [
        {"name": f"{n}{re.sub('/', '', text)[:60]}.png", "mimeType": "image/png", "buffer": RED_DOT}
        for n, text in enumerate(MARKUP[: count(4, 40)])
    ]
    for file in files:
        await owner.set_input_files("input[type=file]", [file])
        await say(owner, "补充 1 见图")
    await cadre.reload()
    await enter(cadre, "联企办事助手")
    await say(cadre, "接单 1")
    await say(cadre, f"进展 1 {SCRIPT}")
    await say(cadre, "回溯 1")
    await expect(cadre.locator(".post.bot").last).to_contain_text("onerror=alert(1)")
    for page in (owner, cadre):
        await page.reload()
        await look_around(page)
    assert alarms == []
    tally("S14", len(SAID) + len(files) + len(NAMED))


async def test_pages_outside_the_chat_run_nothing_either(program: Program, tally: Tally) -> None:
    alarms: list[str] = []
    _, given = await slip(program, title=SCRIPT, part=SCRIPT, unit=SCRIPT)
    card = await program.card("张建国")
    await program.database.transaction(rename_everything)
    page = await program.page()
    page.on("dialog", lambda dialog: alarms.append(dialog.message))
    for address in (card, f"{program.address}{given.path}", f"{program.address}/join"):
        await page.goto(address)
        assert await page.locator(FOREIGN).count() == 0
    await expect(page.locator("main")).to_be_visible()
    await page.goto(f"{program.address}{given.path}")
    await expect(page.locator("dl")).to_contain_text("onerror=alert(1)")
    await page.fill("#text", SCRIPT)
    await page.fill("#officer", "<svg/onload=alert(4)"[:20])
    await page.get_by_text("还在办", exact=True).click()
    await page.click("button.primary")
    assert await page.locator(FOREIGN).count() == 0
    assert alarms == []
    tally("S14", 4)


async def test_the_watch_itself_notices_a_script(program: Program) -> None:
    """Else no alarm would prove nothing: an inline script is stopped by the policy, and that is seen."""
    page = await program.signed_in("张建国", DESK)
    await page.evaluate("document.querySelector('main').innerHTML = '<img src=x onerror=alert(1)>'")
    assert await page.locator(FOREIGN).count() == 1
    await page.wait_for_timeout(40)
    assert any("Content Security Policy" in trouble for trouble in program.troubles)
    program.troubles.clear()
