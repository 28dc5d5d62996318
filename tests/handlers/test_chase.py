"""催办: each rung once, none after the work is done, at decent hours, gathered, twice a day at most."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest

from domain.rules import Clock, Listener, Rung
from domain.workdays import parse_span
from tests.handlers.talk import (
    BOSS,
    CHIEF,
    DEPUTY,
    DUTY,
    HEAD,
    LIAISON,
    OFFICE,
    OTHER,
    appeal,
    change,
    heard,
    reported_done,
    taken_on,
    to,
)
from tests.making import make_rules
from tests.stories.town import LADDERS, Said, Town


def reminders(town: Town, who: str = "") -> list[Said]:
    """What the clock said, to everybody or to one."""
    return [line for line in town.said if line.key.startswith("remind.") and (not who or line.listener == who)]


async def rungs(town: Town, number: int = 1) -> list[tuple[str, str, str, str]]:
    """Clock, label, listener's name and state of every rung of an appeal, in order."""
    rows = await town.all(
        """SELECT r.clock, r.label, p.name, r.state FROM rungs r JOIN people p ON CAST(p.id AS TEXT) = r.listener
           JOIN appeals a ON a.id = r.appeal_id WHERE a.number = :number ORDER BY r.due_at, r.id""",
        number=str(number),
    )
    return [(row["clock"], row["label"], row["name"], row["state"]) for row in rows]


# Each rung once -------------------------------------------------------------------------------------------------------
async def test_each_rung_is_told_once_to_each_listener(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.wait(until="2026-04-20 12:00")
    told = await rungs(park)
    assert len(told) == len(set(told)) == len({entry[:3] for entry in told})
    assert [(clock, label, who) for clock, label, who, _ in told] == [
        ("acknowledge", "50%", LIAISON),
        ("acknowledge", "0s", LIAISON),
        ("acknowledge", "+1wd", LIAISON),
        ("acknowledge", "+1wd", HEAD),
        ("acknowledge", "+1wd", OFFICE),
        ("resolve", "-2wd", LIAISON),
        ("resolve", "0s", LIAISON),
        ("resolve", "+1wd", LIAISON),
        ("resolve", "+1wd", HEAD),
        ("resolve", "+3wd", CHIEF),
    ]
    assert Counter(line.listener for line in reminders(park))[LIAISON] == 6


async def test_ringing_again_and_again_says_nothing_twice(park: Town) -> None:
    await taken_on(park)
    await park.wait(until="2026-03-27 09:00")
    before = len(park.said)
    for _ in range(5):
        await park.settle()
    assert len(park.said) == before


async def test_a_restart_in_between_loses_and_repeats_nothing(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    town = await Town.open(url)
    await town.says(BOSS, "诉求 停电")
    await town.presses(LIAISON, "接单")
    heard_by: Counter[str] = Counter()
    for at, until in (
        ("2026-03-11 09:00", "2026-03-23 17:00"),
        ("2026-03-23 17:31", "2026-03-25 17:00"),
        ("2026-03-25 17:29", "2026-03-25 17:31"),
        ("2026-03-26 09:00", "2026-04-03 09:00"),
    ):
        await town.close()
        town = await Town.open(url, at=at, new=False)
        await town.wait(until=until)
        heard_by.update(line.listener for line in reminders(town))
    assert (heard_by[LIAISON], heard_by[HEAD], heard_by[OFFICE]) == (3, 1, 1)
    await town.close()


@pytest.mark.parametrize(
    "steps",
    [
        [(LIAISON, "接单 1"), (LIAISON, "办结 1 已送电"), (BOSS, "满意 1")],
        [(BOSS, "撤回 1")],
        [(LIAISON, "接单 1"), (BOSS, "撤回 1")],
    ],
)
async def test_nothing_is_said_after_the_work_is_done(park: Town, steps: list[tuple[str, str]]) -> None:
    await park.says(BOSS, "诉求 停电")
    for who, line in steps:
        await park.says(who, line)
    await park.wait(days=60)
    assert reminders(park) == []


async def test_what_was_done_in_the_quiet_hours_is_not_chased_in_the_morning(park: Town) -> None:
    await taken_on(park)
    await park.wait(until="2026-03-25 17:36")
    await change(park, "UPDATE rungs SET state = 'owed', told_at = NULL WHERE label = '0s' AND clock = 'resolve'")
    await park.says(LIAISON, "办结 1 已送电")
    before = len(reminders(park, LIAISON))
    await park.wait(until="2026-03-26 12:00")
    assert len(reminders(park, LIAISON)) == before
    assert ("resolve", "0s", LIAISON, "void") in await rungs(park)


async def test_who_lost_the_matter_in_the_night_is_not_reminded_of_it(park: Town) -> None:
    await taken_on(park)
    await taken_on(park, "变压器冒烟")
    await park.wait(until="2026-03-23 17:36")
    await change(park, "UPDATE rungs SET state = 'owed', told_at = NULL WHERE label = '-2wd'")
    await park.says(OFFICE, "派单 1 县供电公司 属线路改造")
    before = len(park.said)
    await park.wait(until="2026-03-24 09:00")
    text = heard(park.said[before:], LIAISON)
    assert "#2" in text
    assert not [line for line in park.said[before:] if line.key.startswith("remind") and "#1" in line.text]


async def test_a_second_round_climbs_a_ladder_of_its_own(park: Town) -> None:
    await reported_done(park)
    await park.says(BOSS, "不满意 1 还是停")
    await park.wait(until="2026-03-31 09:00")
    second = await park.all("SELECT label FROM rungs WHERE round = 2 AND clock = 'resolve' ORDER BY due_at, id")
    assert [row["label"] for row in second] == ["-2wd", "0s", "+1wd", "+1wd", "+3wd"][: len(second)]
    assert len(second) >= 3


# Hours ----------------------------------------------------------------------------------------------------------------
async def test_cadres_hear_in_working_hours_only(park: Town) -> None:
    for n in range(6):
        await park.says(BOSS, f"诉求 第{n}台变压器")
        await park.wait(hours=7.3)
    await park.wait(until="2026-05-25 12:00")
    for line in park.said:
        if line.listener in (LIAISON, HEAD, CHIEF, OFFICE, DEPUTY) and not line.key.startswith(("work.", "digest.")):
            clock = line.time.split()[1]
            assert "08:30" <= clock <= "12:05" or "14:00" <= clock <= "17:35", line
            assert line.time.split()[0] not in ("05-01", "05-02", "05-03", "05-04", "05-05", "04-04", "04-05", "04-06")


async def test_a_make_up_saturday_is_a_day_to_remind_on(park: Town) -> None:
    await park.wait(until="2026-05-07 15:00")
    await park.says(BOSS, "诉求 停电")
    await park.wait(until="2026-05-10 12:00")
    assert "05-09" in {line.time.split()[0] for line in reminders(park, LIAISON)}


async def test_firms_are_not_asked_at_night(park: Town) -> None:
    await reported_done(park)
    await park.wait(until="2026-03-30 12:00")
    asked = reminders(park, BOSS)
    assert len(asked) == 1
    assert "08:00" <= asked[0].time.split()[1] <= "21:00"
    assert "不答复不算满意" in asked[0].text
    assert asked[0].text.startswith("张建国，#1")


# Gathering ------------------------------------------------------------------------------------------------------------
async def test_what_falls_due_together_is_one_message(park: Town) -> None:
    for n in range(4):
        await taken_on(park, f"第{n}台变压器")
    await park.wait(until="2026-03-23 17:31")
    told = [line for line in reminders(park, LIAISON) if line.time.startswith("03-23")]
    assert [line.key for line in told] == ["remind.several"]
    assert told[0].text.count("#") == 4
    assert told[0].text.startswith("王敏，这4件请留意：")


async def test_the_third_reminder_of_a_day_waits_for_the_next_working_morning() -> None:
    spans = [Rung(label, parse_span(label), (Listener.HANDLER,)) for label in ("-7wh", "-5wh", "-3wh", "-1wh")]
    ladders: Mapping[Clock, tuple[Rung, ...]] = {Clock.RESOLVE: tuple(spans)}
    town = await Town.open(rules=make_rules(ladders=ladders, terms={"appeal": "2wd"}))
    await town.says(BOSS, "诉求 停电")
    await town.presses(LIAISON, "接单")
    await town.wait(until="2026-03-13 18:00")
    assert [line.time for line in reminders(town, LIAISON)] == ["03-13 08:30", "03-13 10:30"]
    await town.wait(until="2026-03-16 09:00")
    assert [line.time for line in reminders(town, LIAISON)][2:] == ["03-16 08:30"]
    assert ("resolve", "-3wh", LIAISON, "superseded") in await rungs(town)
    await town.close()


async def test_of_two_reminders_in_a_moment_that_comes_twice_both_count(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    spans = [Rung(label, parse_span(label), (Listener.HANDLER,)) for label in ("-7wh", "-5wh")]
    rules = make_rules(ladders={Clock.RESOLVE: tuple(spans)}, terms={"appeal": "2wd"})
    before = await Town.open(url, rules=rules)
    await taken_on(before)
    await before.wait(until="2026-03-11 10:00")
    await taken_on(before, "变压器冒烟")
    await before.wait(until="2026-03-13 09:00")
    await change(before, "UPDATE rungs SET state = 'owed', told_at = NULL WHERE appeal_id = 2")
    await before.close()
    after = await Town.open(url, at="2026-03-13 08:00", rules=rules, new=False)  # somebody has set the clock back
    await after.wait(until="2026-03-13 18:00")
    assert [line.time for line in reminders(before) + reminders(after)] == ["03-13 08:30", "03-13 08:30"]
    await after.wait(until="2026-03-16 09:00")
    assert [line.time for line in reminders(after)][1:] == ["03-16 08:30"]
    await after.close()


async def test_two_a_day_at_most_however_many_matters(park: Town) -> None:
    for n in range(12):
        await park.says(BOSS, f"诉求 第{n}台变压器")
        await park.wait(hours=1.1)
    await park.wait(until="2026-04-25 12:00")
    days = Counter((line.listener, line.time.split()[0]) for line in reminders(park) if line.key != "remind.release")
    assert max(days.values()) <= 2


async def test_what_is_urgent_waits_for_no_morning_and_takes_nothing_else_along(park: Town) -> None:
    await park.wait(until="2026-03-11 17:00")
    await park.says(BOSS, "诉求 变压器冒烟")
    await park.says(OTHER, "诉求 门口停电")
    await park.wait(until="2026-03-11 23:00")
    await change(park, "UPDATE appeals SET urgent = 1 WHERE number = '1'")
    await change(
        park,
        """INSERT INTO rungs(appeal_id, clock, round, label, listener, due_at, reached_at, state)
           SELECT a.id, 'acknowledge', 1, '50%', CAST(a.handler_id AS TEXT), a.received_at, a.received_at, 'owed'
           FROM appeals a""",
    )
    before = len(park.said)
    await park.wait(until="2026-03-12 01:00")
    night = [line for line in park.said[before:] if line.listener == LIAISON]
    assert night
    assert all("#1" in line.text and "#2" not in line.text for line in night)
    await park.wait(until="2026-03-12 09:00")
    assert "#2" in "".join(line.text for line in reminders(park, LIAISON))


# A jump of the clock --------------------------------------------------------------------------------------------------
async def test_after_a_jump_one_message_a_matter_tells_the_highest_rung(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    before = await Town.open(url)
    await before.says(BOSS, "诉求 停电")
    await before.presses(LIAISON, "接单")
    await before.says(OTHER, "诉求 门口停电")
    await before.close()
    after = await Town.open(url, at="2026-03-27 10:00", new=False)
    await after.settle()
    told = reminders(after, LIAISON)
    assert [line.key for line in told] == ["remind.several"]
    assert told[0].text.count("#1") == told[0].text.count("#2") == 1
    assert "已超期2个工作日" in told[0].text
    states = {(clock, label): state for clock, label, who, state in await rungs(after) if who == LIAISON}
    assert states == {("resolve", "-2wd"): "superseded", ("resolve", "0s"): "superseded", ("resolve", "+1wd"): "told"}
    await after.close()


async def test_a_jump_to_the_night_tells_it_in_the_morning(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'town.db'}"
    before = await Town.open(url)
    await before.says(BOSS, "诉求 停电")
    await before.close()
    after = await Town.open(url, at="2026-03-14 23:00", new=False)
    assert [line for line in await after.settle() if line.key.startswith("remind")] == []
    await after.wait(until="2026-03-16 09:00")
    assert [line.time for line in reminders(after, LIAISON)] == ["03-16 08:30"]
    await after.close()


# Words and the unreachable --------------------------------------------------------------------------------------------
async def test_each_reader_gets_the_sentence_that_fits_him(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.wait(until="2026-03-13 18:00")
    assert "请在3月12日（周四）17:30前接单" in heard(park.said, LIAISON)
    assert "（第2次提醒）" in heard(park.said, LIAISON) or "（第3次提醒）" in heard(park.said, LIAISON)
    watched = heard(reminders(park, HEAD), HEAD)
    assert "王敏（承办单位：县供电公司）应在3月12日（周四）17:30前接单" in watched
    assert "请您协调" in watched


async def test_a_department_of_its_own_handler_is_named_beside_him(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.says(OFFICE, "派单 1 县供电公司")
    await park.wait(until="2026-03-13 18:00")
    assert "赵工（县供电公司）应在" in heard(reminders(park, HEAD), HEAD)


async def test_a_reminder_has_the_buttons_of_what_can_be_done(park: Town) -> None:
    await park.says(BOSS, "诉求 停电")
    await park.wait(until="2026-03-12 09:30")
    assert reminders(park, LIAISON)[-1].buttons == ("接单", "已联系", "退单")
    await park.presses(LIAISON, "接单")
    await park.wait(until="2026-03-24 09:00")
    assert reminders(park, LIAISON)[-1].buttons == ("进展", "办结", "转办")
    await park.wait(until="2026-03-27 09:00")
    assert reminders(park, HEAD)[-1].buttons == ("进度",)


async def test_who_cannot_be_reached_is_called_and_the_rung_is_not_lost(park: Town) -> None:
    await taken_on(park)
    await change(park, "UPDATE chats SET reachable = 0 WHERE external_id = :id", id=f"private:{LIAISON}")
    await park.wait(until="2026-03-24 09:00")
    calls = [line for line in park.said if line.key == "watch.unreachable"]
    assert [line.listener for line in calls] == [OFFICE]
    assert "王敏" in calls[0].text
    assert ("resolve", "-2wd", LIAISON, "unreachable") in await rungs(park)


async def test_an_unreachable_owner_is_called_by_his_liaison(park: Town) -> None:
    await reported_done(park)
    await change(park, "UPDATE chats SET reachable = 0 WHERE external_id = :id", id=f"private:{BOSS}")
    await park.wait(until="2026-03-17 09:00")
    assert "watch.unreachable" in to(park.said, LIAISON)


async def test_the_coordinator_is_reminded_of_what_he_has_not_dispatched(park: Town) -> None:
    await park.says(BOSS, "诉求 有件说不清的事")
    await park.wait(until="2026-03-11 17:00")
    told = reminders(park, OFFICE)
    assert [line.time for line in told] == ["03-11 15:00"]
    assert told[0].buttons == ("派单", "改类")
    assert (await appeal(park))["status"] == "submitted"


async def test_ladders_without_rungs_say_nothing() -> None:
    town = await Town.open(rules=make_rules(ladders={}))
    await town.says(BOSS, "诉求 停电")
    await town.wait(days=40)
    assert reminders(town) == []
    await town.close()


@pytest.fixture
async def held() -> AsyncIterator[Town]:
    """A matter three days late, whose highest rung waits to be released."""
    town = await Town.open(rules=make_rules(ladders=LADDERS))
    await town.settle()
    await taken_on(town)
    await town.wait(until="2026-03-31 09:00")
    yield town
    await town.close()


async def test_above_the_head_nothing_goes_out_by_itself(held: Town) -> None:
    assert reminders(held, CHIEF) == []
    assert to(held.said, OFFICE).count("remind.release") == 1
    await held.presses(OFFICE, "放行")
    await held.wait(hours=1)
    assert len(reminders(held, CHIEF)) == 1
    assert DUTY not in {line.listener for line in reminders(held)}
