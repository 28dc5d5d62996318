"""The demo's panel: anybody's eyes, and the clock."""

from collections.abc import AsyncIterator

import pytest

from bot.web.context import DemoPerson, Group
from tests.making import civil
from tests.webtown import Clock, PanelClock, Town, open_town

CAST: dict[str, Group] = {"张建国": "firm", "王敏": "liaison", "周主任": "office"}


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    panel = PanelClock(Clock())
    async with open_town(demo=panel) as opened:
        panel.cast = [DemoPerson(opened.people[name], name, group, "") for name, group in CAST.items()]
        yield opened


async def test_one_may_be_anybody_of_the_cast_by_a_new_session(town: Town) -> None:
    async with town.browser() as browser:
        for name in CAST:
            assert (await browser.post(f"/demo/be/{town.people[name]}")).json() == {"name": name}
            assert (await browser.get("/api/chat/state")).json()["me"]["name"] == name
            assert (await browser.get("/demo/people")).json()["me"] == town.people[name]
    open_sessions = await town.all("SELECT account_id FROM sessions WHERE closed_at IS NULL")
    assert len(open_sessions) == 1


async def test_one_may_not_be_somebody_who_is_no_part_of_it(town: Town) -> None:
    async with town.browser() as browser:
        assert (await browser.post(f"/demo/be/{town.people['纪书记']}")).status_code == 404
        assert (await browser.get("/api/chat/state")).status_code == 401


@pytest.mark.parametrize(
    "now, shown",
    [
        ("2026-03-11 08:30", ("3月11日（周三）", "08:30", True, True)),
        ("2026-03-11 12:30", ("3月11日（周三）", "12:30", True, False)),
        ("2026-02-14 09:00", ("2月14日（周六）", "09:00", True, True)),  # worked for the Spring Festival
        ("2026-10-01 09:00", ("10月1日（周四）", "09:00", False, False)),
    ],
)
async def test_the_clock_shows_day_weekday_and_whether_people_work(
    town: Town, now: str, shown: tuple[str, str, bool, bool]
) -> None:
    panel = town.context.demo
    assert isinstance(panel, PanelClock)
    panel.clock.at = civil(now)
    async with town.browser() as browser:
        clock = (await browser.get("/demo/clock")).json()
    assert (clock["day"], clock["time"], clock["working_day"], clock["open"]) == shown


async def test_the_clock_is_pushed_and_let_run(town: Town) -> None:
    panel = town.context.demo
    assert isinstance(panel, PanelClock)
    async with town.browser() as browser:
        pushed = [
            (await browser.post(f"/demo/advance/{stride}")).json()["time"] for stride in ("hour", "next", "morning")
        ]
        assert (await browser.post("/demo/advance/year")).status_code == 404
        running = [(await browser.post(f"/demo/play/{on}")).json()["playing"] for on in ("on", "off")]
    assert pushed == ["11:30", "12:30", "13:30"]
    assert panel.strides == ["hour", "next", "morning"]
    assert running == [True, False]


async def test_nothing_of_it_is_there_outside_the_demo() -> None:
    async with open_town() as town, await town.browser_of("张建国") as browser:
        for method, path in (("GET", "clock"), ("GET", "people"), ("POST", "be/1"), ("POST", "advance/hour")):
            assert (await browser.request(method, f"/demo/{path}")).status_code == 404
        assert "demo" not in (await browser.get("/")).text


async def test_its_page_needs_no_code(town: Town) -> None:
    async with town.browser() as browser:
        page = await browser.get("/")
    assert "演示面板" in page.text
    assert 'data-signed-in="no"' in page.text
