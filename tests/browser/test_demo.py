"""The demo's panel in a browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests import needs
from tests.browser.program import PHONE, Program, running

pytestmark = [pytest.mark.needs("browser"), pytest.mark.xdist_group("heavy")]


@pytest.fixture
async def program(tmp_path: Path) -> AsyncIterator[Program]:
    async with running(tmp_path, needs.browser(), demo=True) as started:
        yield started
    assert started.troubles == []


async def test_the_tour_can_be_walked_from_appeal_to_task(program: Program) -> None:
    page = await program.page()
    await page.goto(program.address)
    await expect(page.locator("body[data-signed-in=yes]")).to_be_attached()
    await expect(page.locator(".cast [aria-pressed=true]")).to_contain_text("张建国")
    await expect(page.locator("#clock-time")).to_have_text("10:30")
    await expect(page.locator("#clock-tag")).to_have_text("工作日")
    await page.fill("#text", "诉求 车间电压低")
    await page.press("#text", "Enter")
    await expect(page.locator(".post.bot").last).to_contain_text("#1")
    await page.get_by_role("button", name="下一步").click()
    await expect(page.locator("#tour-title")).to_have_text("快进看催办")
    await page.get_by_role("button", name="下一件事").click()
    await expect(page.locator("#clock-time")).not_to_have_text("10:30")
    await page.locator(".cast button", has_text="王敏").click()
    await expect(page.locator(".cast [aria-pressed=true]")).to_contain_text("王敏")
    await expect(page.locator("#tour-title")).to_have_text("快进看催办")
    await expect(page.locator(".post.bot", has_text="#1").first).to_be_visible()


async def test_on_a_phone_the_panel_is_a_drawer(program: Program) -> None:
    page = await program.page(PHONE)
    await page.goto(program.address)
    await expect(page.locator("body[data-signed-in=yes]")).to_be_attached()
    await expect(page.locator("[data-clock]")).to_contain_text("3月11日（周三） 10:30")
    await expect(page.locator("#demo")).to_be_hidden()
    await page.get_by_role("button", name="演示面板", exact=True).tap()
    await page.get_by_role("button", name="＋1小时").tap()
    await expect(page.locator("#clock-time")).to_have_text("11:30")
    await page.keyboard.press("Escape")
    await expect(page.locator("#demo")).to_be_hidden()
