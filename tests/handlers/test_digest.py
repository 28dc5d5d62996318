"""The daily digest: who hears it, when, once, and what it says; and 日报 and 台账 when they are asked for."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from domain.chat import Incoming
from domain.errors import Refused
from domain.notices import Lane
from domain.people import Purpose, Role
from domain.rules import Difficulty, Kind, Rules
from domain.said import Said, from_facts, to_facts
from domain.verbs import Verb
from handlers import digest, ledger
from handlers.router import Reply, Request
from storage import people, turns
from storage.database import Database, Tx
from storage.open import open_database
from storage.values import from_json, to_ms
from tests.making import (
    Maker,
    civil,
    make_department,
    make_enterprise,
    make_group,
    make_person,
    make_rules,
    private_chat_of,
)
from texts import Catalogue, render

RULES = make_rules()
CATALOGUE = Catalogue.load(strict=True)
WEDNESDAY = civil("2026-03-11 08:30")
TUESDAY = civil("2026-03-10 10:00")
JOB = digest.JOBS[0]


async def opened() -> Database:
    return await open_database("sqlite:///:memory:")


async def within(unit: Callable[[Tx], Awaitable[Any]], database: Database | None = None) -> Any:
    return await (database or await opened()).transaction(unit)


def spoken(said: Said, language: str = "zh") -> str:
    """In words, after a way through the outbox's JSON."""
    kept = Said(said.key, from_facts(to_facts(said.facts)))
    return render(CATALOGUE, kept, language, RULES.calendar.zone)


async def ring(tx: Tx, at: datetime, rules: Rules = RULES) -> list[str]:
    """What the clock does at a moment: all keys that are due, each done."""
    keys = list(await JOB.due(tx, rules, at))
    for key in keys:
        await JOB.work(tx, rules, at, key)
    return keys


async def sent(tx: Tx) -> dict[int, list[str]]:
    """The digests owed so far, in words, by chat."""
    rows = await tx.all("SELECT * FROM outbox WHERE lane = :lane ORDER BY id", {"lane": Lane.DIGEST})
    found: dict[int, list[str]] = {}
    for row in rows:
        said = Said(row["text_key"], from_facts(from_json(row["facts"])))
        found.setdefault(row["chat_id"], []).append(spoken(said))
    return found


# What it says ------------------------------------------------------------------------------------------------
async def a_busy_park(tx: Tx) -> int:
    """Something for each section of the digest; the id of the coordination group."""
    make = Maker(tx, RULES)
    wang = await make_person(tx, "王敏", Role.LIAISON)
    build = await make_department(tx, "建设局", "infra")
    power = await make_department(tx, "县供电公司", "power", external=1)
    firms = [await make_enterprise(tx, f"{name}有限公司", liaison_id=wang) for name in ("宏达", "和顺", "远大")]
    late, soon = civil("2026-02-13 09:00"), civil("2026-02-26 09:00")  # due 03-05 and 03-11
    work = await make.started(firms[0], late, wang, power, text="电力改迁")
    await make.take(work, Verb.PROGRESS, civil("2026-03-09 10:00"), by=wang, text="等待停电窗口\n第二行")
    await make.started(firms[1], soon, wang, build, text="排水不畅", category="land")
    await make.started(firms[1], civil("2026-02-13 10:00"), wang, build, text="道路破损", category="land")
    await make.appeal(firms[2], TUESDAY, "车间电压低")
    await make.appeal(firms[1], TUESDAY, "电压不稳")
    again = await make.resolved(firms[0], TUESDAY, wang, build, text="路灯不亮", category="land")
    await make.take(again, Verb.DISSATISFIED, TUESDAY, text="还是不亮")
    solved = await make.resolved(firms[2], civil("2026-03-04 09:00"), wang, text="职工子女入学", category="school")
    await make.take(solved, Verb.SATISFIED, TUESDAY)
    await make.started(firms[2], TUESDAY, wang, power, text="增容", difficulty=Difficulty.HARD)
    await make.resolved(firms[2], TUESDAY, wang, text="招工难", category="labour")
    return await make_group(tx, Purpose.COORDINATION)


async def test_the_office_hears_what_there_is_to_know() -> None:
    async def unit(tx: Tx) -> str:
        group = await a_busy_park(tx)
        await ring(tx, WEDNESDAY)
        return (await sent(tx))[group][0]

    assert (await within(unit)).split("\n") == [
        "测试园区诉求日报 3月11日（周三）截至08:30",
        "新增5｜今日到期1｜已逾期2｜待评价1",
        "本月受理6＝销号1＋待评价1＋在办4",
        "今日请盯办",
        "· 建设局 #3 道路破损，3月5日（周四）17:30到期，已超期4个工作日；办理中",
        "· 建设局 #2 排水不畅，今日17:30到期；办理中",
        "· 县供电公司 #1 电力改迁，3月5日（周四）17:30到期，已超期4个工作日；3月9日（周一）进展：等待停电窗口",
        "等待派单",
        "· #4 远大：车间电压低（待受理）",
        "· #5 和顺：电压不稳（待受理）",
        "重办",
        "· 建设局 #6 路灯不亮，第1次重办，3月17日（周二）17:30到期",
        "难点",
        "· 县供电公司 #8 增容（办理中）",
        "共性问题（近30天）",
        "· 大树营片区要素保障·用电，3家，县供电公司牵头：#8 #5 #4 #1",
        "办成",
        "· #7 远大：职工子女入学",
    ]


@pytest.mark.parametrize(
    "at, warned",
    [
        ("2026-10-26 08:30", False),  # a Monday, 66 days before the end of the tables
        ("2026-11-02 08:30", True),  # Monday, 59 days
        ("2026-11-03 08:30", False),  # once a week is enough
        ("2026-11-09 08:30", True),
        ("2026-12-31 08:30", False),  # a Thursday
        ("2027-01-04 08:30", True),  # the tables have ended
    ],
)
async def test_once_a_week_the_office_hears_that_the_calendar_ends_and_what_to_do(at: str, warned: bool) -> None:
    async def unit(tx: Tx) -> str:
        return spoken(await digest.office(tx, RULES, civil("2026-10-01 08:30"), civil(at), group=False))

    told = await within(unit)
    assert ("节假日安排只到2026年12月31日" in told, "lianqi calendar import" in told) == (warned, warned)


async def test_departments_stand_in_roster_order_and_are_not_ranked() -> None:
    async def unit(tx: Tx) -> str:
        make, who = Maker(tx, RULES), await make_person(tx, "王敏", Role.LIAISON)
        first, second = await make_department(tx, "甲局", "a"), await make_department(tx, "乙局", "b")
        firm = await make_enterprise(tx)
        for day in (5, 4, 3):
            await make.started(firm, civil(f"2026-02-0{day} 09:00"), who, second)
        await make.started(firm, civil("2026-02-10 09:00"), who, first)
        return spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=False))

    owners = [line[2:4] for line in (await within(unit)).split("\n") if line.startswith("· ") and "超期" in line]
    assert owners == ["甲局", "乙局", "乙局", "乙局"]


async def test_a_long_list_is_cut_and_says_how_many_are_left() -> None:
    async def unit(tx: Tx) -> str:
        make, firm = Maker(tx, RULES), await make_enterprise(tx)
        for _ in range(13):
            await make.appeal(firm, civil("2026-02-13 09:00"))
        return spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=False))

    said = await within(unit)
    assert "已逾期13" in said
    assert said.count("超期") == 10
    assert said.count("其余3件") == 2  # overdue, and waiting to be dispatched


async def test_a_quiet_park_hears_its_figures_and_no_empty_lists() -> None:
    async def unit(tx: Tx) -> str:
        return spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=False))

    assert (await within(unit)).split("\n")[1:] == ["新增0｜今日到期0｜已逾期0｜待评价0", "本月尚无受理"]


async def test_who_is_out_of_reach_is_named_with_how_much_waits_for_him() -> None:
    async def unit(tx: Tx) -> str:
        make = Maker(tx, RULES)
        away = await make_person(tx, "王敏", Role.LIAISON, chat=False)
        boss = await make_person(tx, "张总", Role.CONTACT, chat=False)
        here = await make_person(tx, "赵亮", Role.LIAISON)
        firm = await make_enterprise(tx, "宏达", boss, liaison_id=here)
        for text in ("车间电压低", "路灯不亮"):
            await make.started(firm, TUESDAY, away, text=text)
        await make.appeal(firm, TUESDAY, "招工难", contact_id=boss, liaison_id=here)
        await make.started(firm, TUESDAY, away, text="索要好处", sealed=True, number="S1")
        return spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=True))

    said = (await within(unit)).split("\n")
    at = said.index("消息发不到，请打电话")
    assert said[at + 1 : at + 3] == ["· 王敏，有2件事要告诉他", "· 张总，有1件事要告诉他"]


async def test_nothing_sealed_is_counted_or_named() -> None:
    async def unit(tx: Tx) -> tuple[str, Said | None]:
        make = Maker(tx, RULES)
        inspector = await make_person(tx, "周纪检", Role.INSPECTOR, Role.LIAISON)
        for n in range(3):
            firm = await make_enterprise(tx, f"企业{n}", liaison_id=inspector)
            await make.started(firm, civil("2026-02-13 09:00"), inspector, text="索要好处", sealed=True, number=f"S{n}")
        person = await people.person(tx, inspector, WEDNESDAY)
        assert person is not None
        assert await ring(tx, WEDNESDAY) == ["2026-03-11T08:30/end"]
        assert await sent(tx) == {}
        park = await digest.office(tx, RULES, civil("2026-02-01 00:00"), WEDNESDAY, group=False)
        return spoken(park), await digest.own(tx, RULES, WEDNESDAY, person)

    park, own = await within(unit)
    assert park.split("\n")[1:] == ["新增0｜今日到期0｜已逾期0｜待评价0", "本月尚无受理"]
    assert own is None


async def test_complaints_and_sensitive_matters_show_only_their_kind_in_a_group() -> None:
    async def unit(tx: Tx) -> tuple[str, str]:
        make, firm = Maker(tx, RULES), await make_enterprise(tx)
        who = await make_person(tx, "王敏", Role.LIAISON)
        await make.appeal(firm, TUESDAY, "办事员推诿", kind=Kind.COMPLAINT)
        await make.appeal(firm, TUESDAY, "乱罚款", category="enforce")
        late = await make.started(firm, civil("2026-02-12 09:00"), who, text="重复查封", category="enforce")
        await make.take(late, Verb.PROGRESS, TUESDAY, by=who, text="已约谈执法队")
        both = [spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=group)) for group in (True, False)]
        return both[0], both[1]

    group, private = await within(unit)
    for words in ("推诿", "罚款", "查封", "约谈"):
        assert words not in group
        assert words in private
    assert "投诉（内容不在群内显示）" in group
    assert "#1" in group


async def test_every_line_about_an_appeal_shows_its_number_in_both_languages() -> None:
    async def unit(tx: Tx) -> Said:
        await a_busy_park(tx)
        return await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=True)

    said = await within(unit)
    for language in ("zh", "en"):
        lines = [line for line in spoken(said, language).split("\n") if line.startswith("·")]
        assert len(lines) == 9
        assert all("#" in line for line in lines)


@pytest.mark.parametrize(
    "at,due_today,overdue",
    [
        ("2026-03-11 08:30", 1, 0),
        ("2026-03-11 17:30", 1, 0),
        ("2026-03-11 17:31", 0, 1),
        ("2026-03-10 23:59", 0, 0),
        ("2026-03-11 00:00", 1, 0),
    ],
)
async def test_due_today_goes_by_the_civil_day(at: str, due_today: int, overdue: int) -> None:
    async def unit(tx: Tx) -> str:
        await Maker(tx, RULES).appeal(await make_enterprise(tx), civil("2026-02-26 09:00"))
        return spoken(await digest.office(tx, RULES, TUESDAY, civil(at), group=False))

    assert f"今日到期{due_today}｜已逾期{overdue}" in await within(unit)


async def test_what_fell_due_a_moment_ago_is_not_said_to_be_no_days_late() -> None:
    async def unit(tx: Tx) -> str:
        await Maker(tx, RULES).appeal(await make_enterprise(tx), civil("2026-02-26 09:00"))
        return spoken(await digest.office(tx, RULES, TUESDAY, civil("2026-03-11 18:00"), group=False))

    said = await within(unit)
    assert "#1 车间电压低，3月11日（周三）17:30已到期" in said
    assert "超期0" not in said


async def test_what_is_put_off_is_not_overdue() -> None:
    async def unit(tx: Tx) -> str:
        make, who = Maker(tx, RULES), await make_person(tx, "王敏", Role.LIAISON)
        work = await make.started(await make_enterprise(tx), civil("2026-02-13 09:00"), who)
        until = civil("2026-04-10 17:30")
        await make.take(work, Verb.SUSPEND, civil("2026-02-14 09:00"), text="等上级批复", until=until)
        return spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=False))

    assert "已逾期0" in await within(unit)


async def test_the_month_begins_at_local_midnight() -> None:
    async def unit(tx: Tx) -> str:
        make, firm = Maker(tx, RULES), await make_enterprise(tx)
        await make.appeal(firm, civil("2026-02-28 23:59"))
        await make.appeal(firm, civil("2026-03-01 00:00"))
        return spoken(await digest.office(tx, RULES, TUESDAY, WEDNESDAY, group=False))

    assert "本月受理1＝在办1" in await within(unit)


# A cadre's own -----------------------------------------------------------------------------------------------
async def test_a_cadre_hears_what_is_his_and_what_needs_nothing_from_him() -> None:
    async def unit(tx: Tx) -> str:
        make = Maker(tx, RULES)
        wang = await make_person(tx, "王敏", Role.LIAISON)
        li = await make_person(tx, "李强", Role.HANDLER)
        power = await make_department(tx)
        firms = [await make_enterprise(tx, f"{name}有限公司", liaison_id=wang) for name in "甲乙丙丁戊"]
        await make.resolved(firms[0], TUESDAY, wang, liaison_id=wang, text="道路")
        await make.started(firms[1], TUESDAY, li, power, liaison_id=wang, text="停电")
        await make.dispatched(firms[2], TUESDAY, wang, liaison_id=wang, text="入学")
        await make.started(firms[0], civil("2026-02-13 09:00"), wang, liaison_id=wang, text="排水")
        await make.appeal(firms[1], TUESDAY, "咨询", liaison_id=wang)
        await ring(tx, WEDNESDAY)
        return (await sent(tx))[await private_chat_of(tx, wang)][0]

    assert (await within(unit)).split("\n") == [
        "王敏，3月11日（周三）有2件事要办，其余2家无待办：",
        "· 甲 #4 排水：3月5日（周四）17:30到期，已超期4个工作日，请写明进展和预计完成时间",
        "· 丙 #3 入学：3月11日（周三）17:30前接单并联系企业",
        "· 甲 #1 道路：已办妥，待企业评价，您无需处理",
        "· 乙 #2 停电：由县供电公司办理，时限由县供电公司负责，您无需处理",
        "· 乙 #5 咨询：优化办正在派单，您无需处理",
    ]


async def test_who_has_nothing_hears_nothing() -> None:
    async def unit(tx: Tx) -> dict[int, list[str]]:
        wang = await make_person(tx, "王敏", Role.LIAISON)
        firm = await make_enterprise(tx, liaison_id=wang)
        make = Maker(tx, RULES)
        closed = await make.resolved(firm, civil("2026-03-02 09:00"), wang, liaison_id=wang)
        await make.take(closed, Verb.SATISFIED, TUESDAY)
        await ring(tx, WEDNESDAY)
        return await sent(tx)

    assert await within(unit) == {}


async def test_a_deputy_hears_for_a_colleague_on_leave_who_is_left_in_peace() -> None:
    async def unit(tx: Tx) -> tuple[list[str], bool]:
        deputy = await make_person(tx, "李强", Role.LIAISON)
        away = to_ms(civil("2026-03-20 00:00"))
        wang = await make_person(tx, "王敏", Role.LIAISON, deputy_id=deputy, on_leave_until=away)
        firm = await make_enterprise(tx, liaison_id=wang)
        await Maker(tx, RULES).started(firm, TUESDAY, wang, liaison_id=wang)
        await ring(tx, WEDNESDAY)
        told = await sent(tx)
        return told[await private_chat_of(tx, deputy)], await private_chat_of(tx, wang) in told

    told, disturbed = await within(unit)
    assert len(told) == 1
    assert told[0].startswith("李强，3月11日（周三）有1件事要办")
    assert told[0].endswith("（代王敏）")
    assert not disturbed


async def test_the_firms_deputy_hears_while_its_liaison_is_away() -> None:
    async def unit(tx: Tx) -> dict[int, list[str]]:
        deputy = await make_person(tx, "李强", Role.LIAISON)
        away = to_ms(civil("2026-03-20 00:00"))
        wang = await make_person(tx, "王敏", Role.LIAISON, on_leave_until=away)
        firm = await make_enterprise(tx, liaison_id=wang, deputy_id=deputy)
        await Maker(tx, RULES).started(firm, TUESDAY, wang, liaison_id=wang)
        await ring(tx, WEDNESDAY)
        told = await sent(tx)
        assert set(told) == {await private_chat_of(tx, deputy)}
        return told

    assert "（代王敏）" in next(iter((await within(unit)).values()))[0]


# When, to whom, once -----------------------------------------------------------------------------------------
async def a_small_park(tx: Tx) -> None:
    wang = await make_person(tx, "王敏", Role.LIAISON)
    await make_person(tx, "陈协调", Role.COORDINATOR)
    firm = await make_enterprise(tx, liaison_id=wang)
    await Maker(tx, RULES).started(firm, TUESDAY, wang, liaison_id=wang)


async def test_however_often_the_clock_rings_each_listener_hears_once_a_morning() -> None:
    database = await opened()
    await database.transaction(a_small_park)
    for minute in (0, 0, 1, 60, 500):
        at = WEDNESDAY + timedelta(minutes=minute)
        await database.transaction(partial(ring, at=at))
    told = await database.transaction(sent)
    assert [len(messages) for messages in told.values()] == [1, 1]
    await database.transaction(lambda tx: ring(tx, WEDNESDAY + timedelta(days=1)))
    assert [len(messages) for messages in (await database.transaction(sent)).values()] == [2, 2]


async def test_a_key_that_two_replicas_found_is_done_by_one() -> None:
    async def unit(tx: Tx) -> dict[int, list[str]]:
        await a_small_park(tx)
        keys = await JOB.due(tx, RULES, WEDNESDAY)
        for key in (*keys, *keys):
            await JOB.work(tx, RULES, WEDNESDAY, key)
        return await sent(tx)

    assert [len(messages) for messages in (await within(unit)).values()] == [1, 1]


async def test_a_turn_that_failed_is_taken_again_and_keeps_the_tick_open() -> None:
    async def unit(tx: Tx) -> list[str]:
        await a_small_park(tx)
        keys = await JOB.due(tx, RULES, WEDNESDAY)
        for key in keys[1:]:  # the first one broke down
            await JOB.work(tx, RULES, WEDNESDAY, key)
        assert "end" not in await turns.taken(tx, "digest 2026-03-11T08:30")
        return await ring(tx, WEDNESDAY)

    assert await within(unit) == ["2026-03-11T08:30/office/2", "2026-03-11T08:30/end"]


async def test_a_turn_given_back_by_a_rollback_owes_nothing() -> None:
    database = await opened()
    await database.transaction(a_small_park)

    async def broken(tx: Tx) -> None:
        await ring(tx, WEDNESDAY)
        raise LookupError("power cut")

    with pytest.raises(LookupError):
        await database.transaction(broken)
    assert await database.transaction(sent) == {}
    await database.transaction(lambda tx: ring(tx, WEDNESDAY))
    assert len(await database.transaction(sent)) == 2


async def test_who_is_given_work_during_the_day_waits_for_the_next_morning() -> None:
    async def unit(tx: Tx) -> dict[int, list[str]]:
        await a_small_park(tx)
        await ring(tx, WEDNESDAY)
        li = await make_person(tx, "李强", Role.HANDLER)
        work = await Maker(tx, RULES).appeal(await make_enterprise(tx, "新来"), TUESDAY)
        await Maker(tx, RULES).take(work, Verb.DISPATCH, WEDNESDAY + timedelta(hours=2), handler_id=li)
        assert await ring(tx, WEDNESDAY + timedelta(hours=3)) == []
        return await sent(tx)

    assert len(await within(unit)) == 2


@pytest.mark.parametrize("day", ["2026-03-14", "2026-03-15", "2026-05-01"])
async def test_a_day_off_brings_no_digest(day: str) -> None:
    async def unit(tx: Tx) -> list[str]:
        await a_small_park(tx)
        return await ring(tx, civil(f"{day} 09:00"))

    assert await within(unit) == []


async def test_a_make_up_working_day_brings_one() -> None:
    async def unit(tx: Tx) -> list[str]:
        return await ring(tx, civil("2026-05-09 08:30"))

    assert await within(unit) == ["2026-05-09T08:30/end"]


async def test_before_its_hour_no_digest_leaves() -> None:
    async def unit(tx: Tx) -> list[str]:
        await a_small_park(tx)
        return await ring(tx, WEDNESDAY - timedelta(seconds=1))

    assert await within(unit) == []


async def test_after_days_of_silence_only_the_latest_digest_leaves_as_of_its_hour() -> None:
    async def unit(tx: Tx) -> dict[int, list[str]]:
        await make_group(tx, Purpose.COORDINATION)
        rules = make_rules(daily=("08:30", "14:00"))
        firm = await make_enterprise(tx)
        await Maker(tx, rules).appeal(firm, civil("2026-03-10 15:00"))
        await ring(tx, civil("2026-03-05 08:30"), rules)
        await Maker(tx, rules).appeal(firm, civil("2026-03-11 15:00"))
        await ring(tx, civil("2026-03-11 16:00"), rules)
        return await sent(tx)

    (told,) = (await within(unit)).values()
    assert [message.split("\n")[0] for message in told] == [
        "测试园区诉求日报 3月5日（周四）截至08:30",
        "测试园区诉求日报 3月11日（周三）截至14:00",
    ]
    assert "新增0" in told[1]  # neither before the digest of 8:30 nor after 14:00


async def test_new_counts_from_the_last_working_days_digest_on() -> None:
    async def unit(tx: Tx) -> str:
        await make_group(tx, Purpose.COORDINATION)
        firm = await make_enterprise(tx)
        friday = civil("2026-03-06 08:30")
        for at in (friday - timedelta(milliseconds=1), friday, civil("2026-03-08 12:00")):
            await Maker(tx, RULES).appeal(firm, at)
        await ring(tx, civil("2026-03-09 08:30"))
        return str(await sent(tx))

    assert "新增2" in await within(unit)


async def test_without_a_group_the_coordinators_hear_privately_and_with_one_they_do_not() -> None:
    async def unit(tx: Tx) -> tuple[set[int], set[int], set[int]]:
        boss = await make_person(tx, "陈协调", Role.COORDINATOR)
        await make_group(tx, Purpose.COORDINATION, name="未批准", approved_at=None)
        await ring(tx, WEDNESDAY)
        alone = set(await sent(tx))
        group = await make_group(tx, Purpose.COORDINATION, name="已批准")
        await ring(tx, WEDNESDAY + timedelta(days=1))
        return alone, set(await sent(tx)) - alone, {await private_chat_of(tx, boss), group}

    alone, then, known = await within(unit)
    assert len(alone) == len(then) == 1
    assert alone | then == known


async def test_a_digest_waits_for_working_hours_and_is_worthless_after_its_day() -> None:
    async def unit(tx: Tx) -> Any:
        await make_group(tx, Purpose.COORDINATION)
        await a_small_park(tx)
        await ring(tx, civil("2026-03-11 07:30"), make_rules(daily=("07:30",)))
        return await tx.all("SELECT person_id, due_at, expires_at FROM outbox WHERE lane = :l ORDER BY id", {"l": 2})

    group, cadre = await within(unit)
    assert (group["person_id"], group["due_at"]) == (None, to_ms(civil("2026-03-11 08:00")))
    assert cadre["due_at"] == to_ms(WEDNESDAY)
    assert cadre["expires_at"] == group["expires_at"] == to_ms(civil("2026-03-12 00:00"))


@pytest.mark.parametrize(
    "at,following",
    [
        ("2026-03-11 08:29", "2026-03-11 08:30"),
        ("2026-03-11 08:30", "2026-03-12 08:30"),
        ("2026-03-13 12:00", "2026-03-16 08:30"),
        ("2026-09-30 12:00", "2026-10-08 08:30"),
    ],
)
async def test_the_clock_knows_when_the_next_digest_is_due(at: str, following: str) -> None:
    async def unit(tx: Tx) -> datetime | None:
        return await JOB.upcoming(tx, RULES, civil(at))

    assert await within(unit) == civil(following)


# Asked for ---------------------------------------------------------------------------------------------------
async def asked(
    tx: Tx, verb: Verb, who: int, chat: int, at: datetime, text: str = "", numbers: tuple[str, ...] = ()
) -> Reply:
    message = Incoming("web", "", str(chat), True, "m1", "u1", "", at)
    request = Request(
        tx=tx,
        rules=RULES,
        at=at,
        verb=verb,
        person=await people.person(tx, who, at),
        account_id=1,
        chat=await people.chat(tx, chat),
        message=message,
        text=text,
        numbers=numbers,
    )
    handler = {**digest.COMMANDS, **ledger.COMMANDS}[verb]
    reply = await handler(request)
    assert reply is not None
    return reply


async def test_a_coordinator_who_asks_hears_of_the_park_up_to_now() -> None:
    async def unit(tx: Tx) -> Reply:
        boss = await make_person(tx, "陈协调", Role.COORDINATOR)
        await Maker(tx, RULES).appeal(await make_enterprise(tx), WEDNESDAY + timedelta(minutes=30))
        at = WEDNESDAY + timedelta(hours=2)
        return await asked(tx, Verb.DIGEST, boss, await private_chat_of(tx, boss), at)

    reply = await within(unit)
    said = spoken(Said(reply.key, reply.facts))
    assert said.startswith("测试园区诉求日报 3月11日（周三）截至10:30\n新增1｜")


@pytest.mark.parametrize(
    "purpose,role,private",
    [
        (Purpose.COORDINATION, Role.COORDINATOR, False),
        (Purpose.COORDINATION, Role.LIAISON, True),
        (Purpose.LIAISON, Role.COORDINATOR, True),
        (Purpose.LIAISON, Role.LIAISON, True),
        (Purpose.LEADERSHIP, Role.CHIEF, True),
    ],
)
async def test_a_digest_asked_for_in_a_group_is_answered_where_it_belongs(
    purpose: Purpose, role: Role, private: bool
) -> None:
    async def unit(tx: Tx) -> Reply:
        who = await make_person(tx, "某人", role)
        return await asked(tx, Verb.DIGEST, who, await make_group(tx, purpose), WEDNESDAY)

    assert (await within(unit)).private is private


async def test_a_head_who_asks_hears_of_his_department() -> None:
    async def unit(tx: Tx) -> str:
        head = await make_person(tx, "孙局", Role.HEAD)
        li = await make_person(tx, "李强", Role.HANDLER)
        power = await make_department(tx, head_id=head)
        other = await make_department(tx, "别的局", "other")
        firm = await make_enterprise(tx)
        await Maker(tx, RULES).started(firm, TUESDAY, li, power, text="停电")
        await Maker(tx, RULES).started(firm, TUESDAY, li, other, text="别的")
        reply = await asked(tx, Verb.DIGEST, head, await private_chat_of(tx, head), WEDNESDAY)
        return spoken(Said(reply.key, reply.facts))

    said = await within(unit)
    assert said.startswith("孙局，3月11日（周三）没有要您办的事：\n· 宏达机械 #1 停电")
    assert "别的" not in said


async def test_a_cadre_with_nothing_open_is_told_so() -> None:
    async def unit(tx: Tx) -> str:
        who = await make_person(tx, "王敏", Role.LIAISON)
        reply = await asked(tx, Verb.DIGEST, who, await private_chat_of(tx, who), WEDNESDAY)
        return spoken(Said(reply.key, reply.facts))

    assert await within(unit) == "王敏，您名下没有待办事项。"


@pytest.mark.parametrize(
    "text,numbers,since,until,count",
    [
        ("", (), "2026-03-01 00:00", "2026-04-01 00:00", 1),
        ("2026-02", (), "2026-02-01 00:00", "2026-03-01 00:00", 2),
        ("", ("2026",), "2026-01-01 00:00", "2027-01-01 00:00", 3),
    ],
)
async def test_the_ledger_comes_as_a_private_file(
    text: str, numbers: tuple[str, ...], since: str, until: str, count: int
) -> None:
    async def unit(tx: Tx) -> Reply:
        boss = await make_person(tx, "陈协调", Role.COORDINATOR)
        firm = await make_enterprise(tx)
        for at in ("2026-02-25 09:00", "2026-02-26 09:00", "2026-03-10 09:00"):
            await Maker(tx, RULES).appeal(firm, civil(at))
        group = await make_group(tx, Purpose.COORDINATION)
        return await asked(tx, Verb.LEDGER, boss, group, WEDNESDAY, text, numbers)

    reply = await within(unit)
    assert reply.private
    (owed,) = reply.files
    assert owed["document"] == "ledger"
    assert (owed["facts"]["from"], owed["facts"]["until"]) == (to_ms(civil(since)), to_ms(civil(until)))
    assert f"共{count}件" in spoken(Said(reply.key, reply.facts))


async def test_the_whole_ledger_says_since_when() -> None:
    async def unit(tx: Tx) -> str:
        boss = await make_person(tx, "陈协调", Role.COORDINATOR)
        await Maker(tx, RULES).appeal(await make_enterprise(tx), civil("2025-12-01 09:00"))
        chat = await private_chat_of(tx, boss)
        reply = await asked(tx, Verb.LEDGER, boss, chat, WEDNESDAY, "全部")
        return spoken(Said(reply.key, reply.facts))

    assert (await within(unit)).startswith("问题台账（2025年12月1日至2026年3月11日），共1件")


async def test_a_period_that_nobody_understands_is_refused_with_what_would_be_right() -> None:
    async def unit(tx: Tx) -> Reply:
        boss = await make_person(tx, "陈协调", Role.COORDINATOR)
        return await asked(tx, Verb.LEDGER, boss, await private_chat_of(tx, boss), WEDNESDAY, "去年吧")

    with pytest.raises(Refused) as refusal:
        await within(unit)
    assert "台账 2026-03" in spoken(Said(refusal.value.key, refusal.value.facts))
