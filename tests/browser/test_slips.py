"""The page behind a forwarding slip in a browser of somebody who has no account, at a desk and on a phone."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.civil import CivilClock
from domain.rules import Rules
from storage.database import Database
from tests import needs
from tests.browser.program import DESK, PHONE, Program, running
from tests.slips import Given, hand_out, present

pytestmark = [pytest.mark.needs("browser"), pytest.mark.xdist_group("heavy")]
SIZES = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])
PAYLOAD = "</textarea><script>alert(1)</script><img src=x onerror=alert(1)>"


@dataclass
class Park:
    """The program's park, as the making of slips wants it."""

    database: Database
    rules: Rules
    civil: CivilClock
    people: dict[str, int]

    @property
    def context(self) -> "Park":
        return self


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path, needs.browser()) as started:
        yield started
    assert started.troubles == []


async def slip(program: Program, **words: str) -> tuple[Park, Given]:
    park = Park(program.database, program.app.park.rules, program.app.civil, program.people)
    return park, await hand_out(park, **words)


async def fill(page: Page, text: str, state: str) -> None:
    await page.fill("#text", text)
    await page.get_by_text(state, exact=True).click()
    await page.fill("#officer", "刘工")
    await page.get_by_role("button", name="提交回执").click()


@SIZES
async def test_a_unit_answers_twice_and_the_link_is_over(program: Program, size: tuple[int, int]) -> None:
    park, given = await slip(program)
    page = await program.page(size)
    await page.goto(program.address + given.path)
    await expect(page.locator(".rows")).to_contain_text("更换变压器")
    assert await page.evaluate("document.documentElement.scrollWidth") == size[0]
    await fill(page, "周五更换", "还在办")
    await expect(page.locator("h1")).to_have_text("已收到，谢谢")
    await page.get_by_role("link", name="继续填写").click()
    await fill(page, "已更换", "办完了")
    await expect(page.locator(".lead")).to_contain_text("这个链接随即失效")
    part = (await present(park, given)).part(1)
    assert part is not None
    assert not part.is_open


@SIZES
async def test_what_people_wrote_runs_nothing(program: Program, size: tuple[int, int]) -> None:
    _, given = await slip(program, title=PAYLOAD, part=PAYLOAD, unit=PAYLOAD)
    page = await program.page(size)
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: dialogs.append(dialog.message))
    await page.goto(program.address + given.path)
    await expect(page.locator(".rows dd", has_text=PAYLOAD).first).to_be_visible()
    await fill(page, PAYLOAD, "还在办")
    await expect(page.locator("h1")).to_have_text("已收到，谢谢")
    assert dialogs == []
