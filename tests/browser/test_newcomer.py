"""A newcomer runs the demo as `make run` does and has soon seen one appeal's whole life: seven seconds of clicking.

The guards are far wider than that, for a machine that flushes its disk for others at the same time.
"""

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Page, async_playwright, expect

from tests import needs
from tests.browser.program import DESK, FLAGS, PHONE

pytestmark = [pytest.mark.needs("browser"), pytest.mark.xdist_group("heavy"), pytest.mark.timeout(300)]
ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(rb"http://127\.0\.0\.1:\d+")
PATIENCE = 240
SHOTS = os.environ.get("LIANQI_SHOTS")


@pytest.fixture
async def address(tmp_path: Path) -> AsyncIterator[str]:
    """The real program in a process of its own, with the address that it prints."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "demo", "--port", "0", "--data", str(tmp_path)),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        found = ADDRESS.search(await process.stdout.readline())
    assert found is not None
    yield found[0].decode()
    process.terminate()
    _, errors = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, errors.decode()) == (0, "")


@pytest.fixture
async def page(address: str) -> AsyncIterator[Page]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=needs.browser(), args=list(FLAGS))
        opened = await browser.new_page(viewport={"width": DESK[0], "height": DESK[1]}, locale="zh-CN")
        await opened.goto(address)
        await expect(opened.locator("body[data-signed-in=yes]")).to_be_attached(timeout=30_000)
        yield opened
        await browser.close()


async def become(page: Page, name: str) -> None:
    """Change roles by the panel; whoever is not among the first is behind 全部."""
    button = page.locator(".cast button", has_text=name).first
    if not await button.is_visible():
        for fold in await page.locator(".cast button", has_text="全部").all():
            await fold.click()
    async with page.expect_navigation():
        await button.click()
    await expect(page.locator(".cast [aria-pressed=true]").first).to_contain_text(name)
    await expect(page.locator(".post").first).to_be_visible()


async def shoot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(path=f"{SHOTS}/{name}.png")


async def test_a_newcomer_sees_one_appeal_chased_escalated_finished_and_in_the_digest(page: Page) -> None:
    async with asyncio.timeout(PATIENCE):
        await page.fill("#text", "诉求 三号车间电压低，一天跳停三次，影响交货")
        await page.press("#text", "Enter")
        filed = page.locator(".post.bot", has_text="已登记").filter(has_text="三号车间").last  # none of the seeded ones
        await expect(filed).to_contain_text("责任人：王敏")
        number = re.search(r"#(\d+)", await filed.inner_text())
        assert number is not None
        await shoot(page, "chat-desktop")

        await become(page, "王敏")
        chased = page.locator(".post.bot", has_text=f"#{number[1]}").filter(has_text="前接单并联系")
        while await chased.count() < 3:  # at half the time, on the morning's list, at the deadline
            await page.get_by_role("button", name="下一件事").click()
            await page.wait_for_timeout(250)
        await shoot(page, "cadre-desktop")
        await become(page, "林晓云")
        escalated = page.locator(".post.bot", has_text=f"#{number[1]}").filter(has_text="请您协调")
        await expect(escalated.first).to_be_visible()

        await become(page, "王敏")
        await page.locator(".post.bot button", has_text="接单").last.click()
        await expect(page.locator(".post.bot", has_text="已接单").last).to_be_visible()
        await page.fill("#text", f"办结 {number[1]} 已更换变压器，复测电压正常")
        await page.press("#text", "Enter")
        await expect(page.locator(".post.bot", has_text="一分钟后送企业确认").last).to_be_visible()
        await page.get_by_role("button", name="下一件事").click()  # the minute in which a slip can be taken back

        await become(page, "张建国")
        await expect(page.locator(".post.bot", has_text="请您确认").last).to_be_visible()
        await shoot(page, "survey-desktop")
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        await page.wait_for_timeout(200)
        await shoot(page, "chat-phone")
        await page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        await page.locator(".post.bot button", has_text=re.compile("^满意$")).last.click()
        await expect(page.locator(".post.bot", has_text="销号").last).to_be_visible()

        await become(page, "林晓云")
        await page.get_by_role("button", name="到明早8:30").click()
        await page.locator(".rooms button", has_text="协调群").first.click()
        await expect(page.locator(".post.bot", has_text="诉求日报").last).to_contain_text(f"#{number[1]}")
        await shoot(page, "digest-desktop")
