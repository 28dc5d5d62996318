"""停工: what the coordinator closes moves every date at once, with the reason told; taken back, it moves back."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from domain.holidays import YearTable
from domain.hours import Hours
from domain.ledger import Entry
from domain.people import Role
from domain.workdays import Calendar, parse_interval
from handlers import recounts as counting
from storage import calendars, ledger
from storage.database import Tx
from storage.values import EPOCH, to_ms
from storage.years import read_years
from tests import making
from tests.handlers.talk import (
    BOSS,
    CONTROL,
    INSPECTOR,
    LIAISON,
    MULTI,
    OFFICE,
    OTHER,
    SINGLE,
    TEACHER,
    appeal,
    count,
    heard,
    newcomer,
    reported_done,
    taken_on,
    to,
)
from tests.making import Maker
from tests.stories.town import LADDERS, Said, Town

SECOND = "何主任"


async def due(park: Town, number: int = 1, column: str = "due_at") -> str:
    """A date of an appeal as people read it."""
    row = await park.one("SELECT * FROM appeals WHERE number = :n", n=str(number))
    return shown(row[column])


def shown(ms: int) -> str:
    return (EPOCH + timedelta(milliseconds=ms)).astimezone(making.ZONE).strftime("%m-%d %H:%M")


async def recounts(park: Town, number: int = 1) -> list[Mapping[str, Any]]:
    """What the history keeps of each recount of an appeal."""
    rows = await park.all(
        """SELECT e.facts FROM events e JOIN appeals a ON a.id = e.appeal_id
           WHERE a.number = :n AND e.name = 'recount' ORDER BY e.version""",
        n=str(number),
    )
    return [json.loads(row["facts"]) for row in rows]


async def close(park: Town, line: str = "停工 3月16日 台风") -> list[Said]:
    """The coordinator says so and confirms."""
    await park.says(OFFICE, line)
    return await park.presses(OFFICE, "确认")


# The story ------------------------------------------------------------------------------------------------------------
async def test_a_typhoon_day_moves_two_matters_by_a_working_day_and_taking_it_back_moves_them_back(park: Town) -> None:
    await newcomer(park, SECOND, Role.COORDINATOR)
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OTHER, "诉求 变压器异响")
    assert [await due(park, n) for n in (1, 2)] == ["03-25 17:30", "03-25 17:30"]

    asked = await park.says(OFFICE, "停工 3月16日 台风")
    assert to(asked, OFFICE) == ["closure.ask"]
    assert "3月16日（周一）停工（台风），请确认。有2个时限会变动" in heard(asked, OFFICE)
    assert "#1 宏达机械 车间停电：办结 3月25日（周三）17:30 → 3月26日（周四）17:30" in heard(asked, OFFICE)
    assert [await due(park, n) for n in (1, 2)] == ["03-25 17:30", "03-25 17:30"]

    said = await park.presses(OFFICE, "确认")
    assert [await due(park, n) for n in (1, 2)] == ["03-26 17:30", "03-26 17:30"]
    assert len(said) == 6
    assert to(said, OFFICE) == ["closure.done"]
    assert to(said, LIAISON) == ["task.recounted", "task.recounted"]
    assert to(said, BOSS) == to(said, OTHER) == ["firm.recounted"]
    assert to(said, SECOND) == ["recount.office"]
    told = heard(said, BOSS)
    assert "3月16日（周一）停工（台风）" in told
    assert "#1 车间停电" in told
    assert "由3月25日（周三）17:30改为3月26日（周四）17:30" in told
    assert "#2 和顺物流" in heard(said, SECOND)
    [kept] = await recounts(park)
    assert (shown(kept["due_before"]["at"]), shown(kept["due"]["at"])) == ("03-25 17:30", "03-26 17:30")

    asked = await park.says(OFFICE, "停工 3月16日 取消")
    assert "#2 和顺物流 变压器异响：办结 3月26日（周四）17:30 → 3月25日（周三）17:30" in heard(asked, OFFICE)
    back = await park.presses(OFFICE, "确认")
    assert [await due(park, n) for n in (1, 2)] == ["03-25 17:30", "03-25 17:30"]
    assert "3月16日（周一）不再停工，照常上班" in heard(back, BOSS)
    assert [shown(each["due_before"]["at"]) for each in await recounts(park)] == ["03-25 17:30", "03-26 17:30"]
    assert await count(park, "closures") == 0


# What is in force -----------------------------------------------------------------------------------------------------
async def test_what_is_raised_afterwards_is_counted_by_the_closure(park: Town) -> None:
    await close(park, "停工 3月12日-3月13日 检修")
    await park.says(BOSS, "诉求 车间停电")
    assert await due(park) == "03-27 17:30"
    assert await due(park, column="acknowledge_due_at") == "03-16 17:30"


async def test_on_a_closed_day_no_digest_and_no_reminder_leaves(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    await close(park, "停工 3月12日 台风")
    said = await park.wait(until="2026-03-12 23:00")
    assert not [line for line in said if line.key.startswith(("digest", "remind")) and line.time.startswith("03-12")]
    assert not await park.all("SELECT * FROM turns WHERE job LIKE 'digest 2026-03-12%'")
    said = await park.wait(until="2026-03-13 09:00")
    assert "digest.office" in {line.key for line in said}


async def test_the_ladder_goes_by_the_calendar_in_force(park: Town) -> None:
    """Due on Thursday the 26th, Wednesday closed: two working days before is Monday, not Tuesday."""
    await taken_on(park)
    await close(park, "停工 3月25日 台风")
    assert await due(park) == "03-26 17:30"
    said = await park.wait(until="2026-03-25 12:00")
    assert [line.time for line in said if line.key == "remind.one"] == ["03-23 17:30"]


async def test_a_message_that_waited_for_a_morning_waits_over_the_day_that_is_closed(park: Town) -> None:
    await park.wait(until="2026-03-11 19:00")
    await park.says(BOSS, "诉求 车间停电")
    await close(park, "停工 3月12日 台风")
    said = await park.wait(until="2026-03-12 12:00")
    assert not [line for line in said if line.listener == LIAISON]
    said = await park.wait(until="2026-03-13 08:31")
    assert "task.dispatched" in to(said, LIAISON)


async def test_a_matter_done_is_asked_about_by_the_new_calendar(park: Town) -> None:
    await reported_done(park)
    before = (await appeal(park))["next_due_at"]
    await close(park)
    assert (shown(before), shown((await appeal(park))["next_due_at"])) == ("03-16 09:00", "03-17 09:00")
    assert await recounts(park) == []


async def test_a_rung_that_a_day_taken_back_has_put_behind_us_is_told(park: Town) -> None:
    """Two working days before the date: on the 24th with the closure, on the 23rd without it."""
    await taken_on(park)
    await close(park, "停工 3月20日 检修")
    assert await due(park) == "03-26 17:30"
    await park.wait(until="2026-03-24 10:00")
    said = await close(park, "停工 3月20日 取消")
    said += await park.wait(hours=1)
    assert await due(park) == "03-25 17:30"
    assert to(said, LIAISON).count("remind.one") == 1


async def test_a_share_of_the_work_moves_too_and_is_listed(park: Town) -> None:
    await taken_on(park)
    await park.says(OFFICE, "协办 1 教体局 查线路")
    before = (await park.one("SELECT due_at FROM parts"))["due_at"]
    asked = await park.says(OFFICE, "停工 3月12日 台风")
    after_asking = (await park.one("SELECT due_at FROM parts"))["due_at"]
    said = await park.presses(OFFICE, "确认")
    after = (await park.one("SELECT due_at FROM parts"))["due_at"]
    assert (shown(before), shown(after_asking), shown(after)) == ("03-16 17:30", "03-16 17:30", "03-17 17:30")
    assert "配合 3月16日（周一）17:30 → 3月17日（周二）17:30" in heard(asked, OFFICE)
    assert "task.part_recounted" in to(said, TEACHER)
    assert "3月17日（周二）17:30" in heard(said, TEACHER)


async def test_what_no_calendar_moves_stays_and_nobody_hears_of_it(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    said = await close(park, "停工 3月30日 消杀")
    assert to(said, OFFICE) == ["closure.done"]
    assert {line.listener for line in said} == {OFFICE}
    assert await recounts(park) == []


async def test_a_sealed_matter_is_counted_again_and_named_to_nobody_who_may_not_know(park: Town) -> None:
    async def seal(tx: Tx) -> None:
        firm = await tx.one("SELECT id FROM enterprises WHERE name = '宏达机械有限公司'")
        assert firm is not None
        maker = Maker(tx, park.app.park.rules)
        await maker.appeal(firm["id"], park.app.civil(), "压着不办", sealed=True, number="M-7K3Q9X")

    await park.database.transaction(seal)
    asked = await park.says(OFFICE, "停工 3月16日 台风")
    said = await park.presses(OFFICE, "确认")
    row = await park.one("SELECT due_at FROM appeals WHERE number = 'M-7K3Q9X'")
    assert shown(row["due_at"]) == "03-26 17:30"
    for line in [*asked, *said]:
        assert line.listener == INSPECTOR or "压着不办" not in line.text
    assert "有0个时限" in heard(asked, OFFICE)


async def test_a_date_that_the_calendar_moved_is_no_extension_in_the_ledger(park: Town) -> None:
    await taken_on(park)
    await close(park)
    [entry] = await entries(park)
    assert (shown(to_ms(entry.first_due)), entry.due) == ("03-26 17:30", entry.first_due)

    await park.says(OFFICE, "延期 1 3天 等配件到货")
    await close(park, "停工 3月17日 台风")
    [entry] = await entries(park)
    assert (shown(to_ms(entry.first_due)), shown(to_ms(entry.due))) == ("03-26 17:30", "04-01 17:30")


async def entries(park: Town) -> list[Entry]:
    async def unit(tx: Tx) -> list[Entry]:
        at = park.app.civil()
        return [one async for page in ledger.rows(tx, at - timedelta(days=9), at + timedelta(days=9)) for one in page]

    return await park.database.reading(unit)


@pytest.fixture
async def december() -> AsyncIterator[Town]:
    """The park in the last days of a year, before the next one's table."""
    opened = await Town.open(at="2026-12-28 09:00")
    await opened.settle()
    yield opened
    await opened.close()


async def test_in_december_next_years_dates_are_marked_until_the_table_is_there(december: Town) -> None:
    park = december
    filed = await park.says(BOSS, "诉求 车间停电")
    assert "办结时限：1月12日（周二）17:30（暂定，次年放假安排公布后复核）" in heard(filed, BOSS)
    assert "（暂定）" in heard(await park.says(BOSS, "我的"), BOSS)
    said = await park.presses(LIAISON, "接单")
    assert "17:30（暂定" in heard(said, BOSS)
    await park.wait(hours=1)
    assert "17:30（暂定）前办结" in heard(await park.says(LIAISON, "日报"), LIAISON)

    table = YearTable(2027, frozenset({date(2027, 1, 1), date(2027, 1, 4)}), frozenset(), published=True)
    await park.database.transaction(lambda tx: calendars.put_year(tx, table, park.app.civil()))
    assert "暂定" not in heard(await park.says(BOSS, "我的"), BOSS)


# What is said ---------------------------------------------------------------------------------------------------------
async def test_the_coming_closures_are_listed(park: Town) -> None:
    assert to(await park.says(OFFICE, "停工"), OFFICE) == ["closure.nothing"]
    await close(park, "停工 3月16日-17日 台风")
    await close(park, "停工 3月11日 停电")
    said = await park.says(OFFICE, "停工")
    assert "3月11日（周三） 停电\n· 3月16日（周一） 台风\n· 3月17日（周二） 台风" in heard(said, OFFICE)
    await park.wait(until="2026-03-17 09:00")
    assert "3月16日" not in heard(await park.says(OFFICE, "停工"), OFFICE)


async def test_nothing_changes_until_it_is_confirmed(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    await park.says(OFFICE, "停工 3月16日 台风")
    assert to(await park.says(OFFICE, "取消"), OFFICE) == ["help.cancelled"]
    assert await count(park, "closures") == 0
    assert await due(park) == "03-25 17:30"


async def test_tomorrow_is_the_day_that_was_asked_about_even_after_midnight(park: Town) -> None:
    await park.wait(until="2026-03-12 23:50")
    await park.says(OFFICE, "停工 明天 台风")
    await park.wait(until="2026-03-13 00:05")
    await park.says(OFFICE, "确认")
    assert [row["day"] for row in await park.all("SELECT day FROM closures")] == ["2026-03-13"]


@pytest.mark.parametrize(
    "line, key",
    [
        ("停工 台风", "closure.unclear"),
        ("停工 3月14日 台风", "closure.off_anyway"),
        ("停工 3月16日 取消", "closure.none_there"),
        ("停工 3月16日-6月30日 台风", "closure.too_long"),
    ],
)
async def test_what_would_change_nothing_or_cannot_be_read_is_refused(park: Town, line: str, key: str) -> None:
    assert to(await park.says(OFFICE, line), OFFICE) == [key]
    assert await count(park, "closures") == 0


async def test_a_day_that_is_closed_already_is_not_closed_again(park: Town) -> None:
    await close(park)
    assert to(await park.says(OFFICE, "停工 3月16日 停电"), OFFICE) == ["closure.off_anyway"]


async def test_a_working_saturday_can_be_closed(park: Town) -> None:
    await park.wait(until="2026-05-07 09:00")
    await close(park, "停工 5月9日 暴雨")
    await park.says(BOSS, "诉求 车间停电")
    assert await due(park, column="acknowledge_due_at") == "05-08 17:30"
    assert await due(park) == "05-21 17:30"  # 8, 11-15, 18-21, without Saturday the 9th


async def test_what_a_firm_says_of_itself_is_no_command(park: Town) -> None:
    offered = await park.says(BOSS, "停工 三天了，还没有来电")
    assert "登记" in offered[-1].buttons
    assert await park.says(BOSS, "停工 三天了", where=MULTI) == []
    assert await park.says("路人", "停工 8月20日", where=SINGLE) == []
    assert to(await park.says(LIAISON, "停工 3月16日 台风"), LIAISON) != ["closure.ask"]
    assert await count(park, "closures") == 0


async def test_in_a_firms_group_the_coordinator_is_asked_privately(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    said = await park.says(OFFICE, "停工 3月16日 台风", where=MULTI)
    assert "closure.ask" in to(said, OFFICE)
    assert "车间停电" not in heard(said, MULTI)


async def test_in_the_coordinators_own_group_it_is_answered_in_place(park: Town) -> None:
    said = await park.says(OFFICE, "停工", where=CONTROL)
    assert to(said, CONTROL) == ["closure.nothing"]


async def test_many_deadlines_are_shown_in_part(park: Town) -> None:
    async def fill(tx: Tx) -> None:
        firm = await tx.one("SELECT id FROM enterprises WHERE name = '宏达机械有限公司'")
        assert firm is not None
        for n in range(25):
            await Maker(tx, park.app.park.rules).appeal(firm["id"], park.app.civil(), f"事项{n}")

    await park.database.transaction(fill)
    asked = heard(await park.says(OFFICE, "停工 3月16日 台风"), OFFICE)
    assert "有25个时限" in asked
    assert asked.count("→") == 20
    assert "还有5个时限" in asked


# At the start ---------------------------------------------------------------------------------------------------------
USUAL, EARLY = ("08:30-12:00", "14:00-17:30"), ("08:00-12:00", "13:00-16:00")
Start = Callable[..., Awaitable[Town]]


@pytest.fixture
async def start(tmp_path: Path) -> AsyncIterator[Start]:
    """Starts the same park again and again, with these working hours; whatever happens it is closed in the end."""
    opened: list[Town] = []

    async def again(intervals: Sequence[str], *, new: bool = False) -> Town:
        for before in opened:
            await before.close()
        opened.append(await _open(tmp_path, intervals, new=new))
        await opened[-1].settle()
        return opened[-1]

    yield again
    for town in opened:
        await town.close()


async def _open(tmp_path: Path, intervals: Sequence[str], *, new: bool) -> Town:
    hours = Hours(tuple(map(parse_interval, intervals)), quiet=parse_interval("21:00-08:00"))
    rules = making.make_rules(ladders=LADDERS)
    rules = replace(rules, calendar=Calendar(read_years(), hours, making.ZONE))
    return await Town.open(f"sqlite:///{tmp_path}/town.db", rules=rules, new=new)


async def test_other_hours_in_the_config_count_everything_again_once_at_the_start(start: Start) -> None:
    park = await start(USUAL, new=True)
    await park.says(BOSS, "诉求 车间停电")
    assert await recounts(park) == []

    for _ in range(2):
        park = await start(EARLY)
        assert await due(park) == "03-25 16:00"
        assert len(await recounts(park)) == 1
        keys = [row["text_key"] for row in await park.all("SELECT text_key FROM outbox")]
        assert keys.count("firm.recounted") == keys.count("recount.office") == 1

    park = await start(USUAL)
    assert (await due(park), len(await recounts(park))) == ("03-25 17:30", 2)


async def test_a_closure_entered_while_it_ran_is_not_counted_again_at_the_next_start(start: Start) -> None:
    park = await start(USUAL, new=True)
    await park.says(BOSS, "诉求 车间停电")
    await close(park)
    rules = park.app.park.rules
    in_force = await park.database.reading(lambda tx: calendars.in_force(tx, rules))
    assert await park.database.reading(calendars.counted_by) == in_force.calendar.fingerprint
    park = await start(USUAL)
    assert (await due(park), len(await recounts(park))) == ("03-26 17:30", 1)


async def test_of_two_replicas_that_start_together_one_counts(park: Town) -> None:
    await park.says(BOSS, "诉求 车间停电")
    mark, rules, at = "another calendar", park.app.park.rules, park.app.civil()

    async def unit(tx: Tx) -> None:
        assert await calendars.take_count(tx, mark, at)  # the other one was first
        await tx.run("UPDATE appeals SET due_at = due_at + 1")
        await counting.work(tx, rules, at, mark)

    await park.database.transaction(unit)
    assert await recounts(park) == []
