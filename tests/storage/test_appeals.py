"""The one door: what record() writes, what it refuses, and who is owed which message where and when."""

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Hashable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.access import Relation, may
from domain.appeal import Appeal, Details
from domain.errors import Stale
from domain.hours import Hours
from domain.lifecycle import take
from domain.news import _BY_VERB
from domain.notices import SURVEY_BUTTONS, TASK_BUTTONS, TRIAGE_BUTTONS, WORK_BUTTONS, Lane, Notice
from domain.people import Person, Purpose, Role
from domain.rules import Difficulty, Kind, Listener, Rules
from domain.said import Button
from domain.verbs import Verb
from domain.workdays import Calendar, Span, Unit, parse_interval
from storage import appeals, history, listeners
from storage.database import NO_PARAMS, Database, Params, Row, Tx
from storage.errors import ConstraintViolated
from storage.scope import SYSTEM
from storage.values import from_ms, to_ms
from storage.years import read_years
from tests.backends import open_house
from tests.making import (
    ZONE,
    Maker,
    civil,
    make_department,
    make_enterprise,
    make_group,
    make_person,
    make_rules,
    private_chat_of,
)

RULES = make_rules()
MONDAY = civil("2026-03-09 10:00")


@dataclass(frozen=True, slots=True)
class Park:
    """A firm with two contacts, its people, and a group of its own."""

    tx: Tx
    make: Maker
    firm: int
    contact: int
    colleague: int
    liaison: int
    handler: int
    other: int
    coordinator: int
    inspector: int
    chief: int
    head: int
    unit: int
    building: int
    group: int

    @property
    def names(self) -> Mapping[int, str]:
        return {
            self.contact: "contact",
            self.colleague: "colleague",
            self.liaison: "liaison",
            self.handler: "handler",
            self.other: "other",
            self.coordinator: "coordinator",
            self.inspector: "inspector",
            self.chief: "chief",
            self.head: "head",
        }

    async def appeal(self, at: datetime = MONDAY, **fields: Any) -> Appeal:
        mine = {"contact_id": self.contact, "liaison_id": self.liaison, "origin_chat_id": self.group, **fields}
        return await self.make.appeal(self.firm, at, **mine)

    async def step(
        self, appeal: Appeal, verb: Verb, by: int | None = None, at: datetime = MONDAY, **given: Any
    ) -> Appeal:
        usual = {"text": "说明", "handler_id": self.handler, "department_id": self.unit, "merged_into": "99"}
        usual |= {"until": at + timedelta(days=9), "span": Span(2, Unit.WORKING_DAYS)}
        usual |= {"unit": "建设局", "title": "出意见"}
        usual |= {"part": len(appeal.parts), "facts": {"part": len(appeal.parts), "wish": "extend"}}
        if verb is Verb.HAND_OVER:
            usual |= {"handler_id": self.other, "instead_of": self.handler}
        if verb is Verb.ASSIST:
            usual |= {"department_id": self.building, "handler_id": self.other, "until": None}
        return await self.make.take(appeal, verb, at, by=by, **{**usual, **given})

    async def walk(self, *verbs: Verb, **fields: Any) -> Appeal:
        appeal = await self.appeal(**fields)
        for verb in verbs:
            appeal = await self.step(appeal, verb)
        await self.tx.run("DELETE FROM outbox")
        return appeal

    async def owed(self) -> list[tuple[str, str]]:
        """(who, key) in the order in which they were owed."""
        rows = await self.rows()
        return [(self.names.get(row["person_id"] or 0, "group"), row["text_key"]) for row in rows]

    async def rows(self) -> list[Row]:
        return list(await self.tx.all("SELECT * FROM outbox ORDER BY id"))


async def furnish(tx: Tx, rules: Rules = RULES) -> Park:
    contact = await make_person(tx, "张建国", Role.CONTACT)
    colleague = await make_person(tx, "赵敏", Role.CONTACT)
    liaison = await make_person(tx, "王敏", Role.LIAISON)
    handler = await make_person(tx, "李强", Role.HANDLER)
    chief = await make_person(tx, "孙县长", Role.CHIEF)
    head = await make_person(tx, "钱主任", Role.HEAD)
    firm = await make_enterprise(tx, "宏达机械有限公司", contact, colleague, liaison_id=liaison, chief_id=chief)
    return Park(
        tx=tx,
        make=Maker(tx, rules),
        firm=firm,
        contact=contact,
        colleague=colleague,
        liaison=liaison,
        handler=handler,
        other=await make_person(tx, "钱进", Role.HANDLER),
        coordinator=await make_person(tx, "周协", Role.COORDINATOR),
        inspector=await make_person(tx, "吴纪", Role.INSPECTOR),
        chief=chief,
        head=head,
        unit=await make_department(tx, duty_id=handler, head_id=head),
        building=await make_department(tx, "建设局", "building"),
        group=await make_group(tx, Purpose.LIAISON, firm),
    )


class Statements:
    """A Tx whose every statement is a transaction of its own, so that a test may talk as it goes."""

    engine = "sqlite"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def one(self, sql: str, params: Params = NO_PARAMS) -> Row | None:
        return await self._database.transaction(lambda tx: tx.one(sql, params))

    async def all(self, sql: str, params: Params = NO_PARAMS) -> Sequence[Row]:
        return await self._database.transaction(lambda tx: tx.all(sql, params))

    async def run(self, sql: str, params: Params = NO_PARAMS) -> int:
        return await self._database.transaction(lambda tx: tx.run(sql, params))

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        raise AssertionError("no test here undoes a part of what it does")

    def remembered(self) -> dict[Hashable, Any]:
        return {}

    def on_commit(self, call: Callable[[], None]) -> None:
        call()


@pytest.fixture
async def database() -> AsyncIterator[Database]:
    opened = await open_house("sqlite:///:memory:")
    yield opened
    await opened.close()


@pytest.fixture
async def park(database: Database) -> Park:
    return await furnish(Statements(database))


async def count(park: Park, table: str) -> int:
    row = await park.tx.one(f"SELECT COUNT(*) AS n FROM {table}")
    assert row is not None
    return int(row["n"])


# The record ---------------------------------------------------------------------------------------------------------
async def test_what_is_recorded_is_read_back_as_it_was(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH, Verb.ACKNOWLEDGE, Verb.CONTACTED, Verb.PROGRESS, Verb.RESOLVE)
    change = take(appeal, Verb.DISSATISFIED, by=park.contact, at=MONDAY, rules=RULES, details=Details(text="没修好"))
    after = await appeals.record(park.tx, change, RULES)
    assert after == change.after
    assert await appeals.get(park.tx, appeal.number, SYSTEM) == change.after


async def test_each_change_is_one_line_of_history_without_a_gap(park: Park) -> None:
    verbs = (Verb.DISPATCH, Verb.ACKNOWLEDGE, Verb.RESOLVE, Verb.SATISFIED)
    appeal = await park.walk(*verbs)
    lines = await history.of_appeal(park.tx, appeal.id or 0)
    assert [line["version"] for line in lines] == [1, 2, 3, 4, 5]
    assert [line["name"] for line in lines] == ["file", *verbs]
    assert [line["to_status"] for line in lines] == ["submitted", "dispatched", "in_progress", "resolved", "closed"]
    assert [line["from_status"] for line in lines][1:] == [line["to_status"] for line in lines][:-1]


async def test_who_was_slower_is_stale_and_nothing_has_changed(park: Park, database: Database) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    details = Details(text="不归我管", unit="待定")
    slow = take(appeal, Verb.RETURN, by=park.handler, at=MONDAY, rules=RULES, details=details)
    faster = await park.step(appeal, Verb.ACKNOWLEDGE, park.handler)
    before = [await count(park, table) for table in ("events", "event_texts", "outbox")]

    async def unit(tx: Tx) -> None:
        await appeals.record(tx, slow, RULES)

    with pytest.raises(Stale):
        await database.transaction(unit)
    assert await appeals.by_id(park.tx, appeal.id or 0) == faster
    assert [await count(park, table) for table in ("events", "event_texts", "outbox")] == before


async def test_the_clock_that_was_slower_is_stale(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    await park.step(appeal, Verb.ACKNOWLEDGE)
    with pytest.raises(Stale):
        await appeals.look_again(park.tx, appeal, None)


async def test_looking_again_moves_the_clock_and_nothing_else(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    later = civil("2026-03-20 10:00")
    events = await count(park, "events")
    await appeals.look_again(park.tx, appeal, later)
    assert await appeals.by_id(park.tx, appeal.id or 0) == replace(appeal, next_due=later)
    assert await count(park, "events") == events


async def test_words_stand_apart_from_the_line_that_holds_their_salted_digest(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    await park.step(appeal, Verb.NOTE, park.handler, text="老板电话不通")
    line = await park.tx.one("SELECT * FROM events WHERE name = 'note'")
    assert line is not None
    words = await park.tx.one("SELECT * FROM event_texts WHERE event_id = :id", {"id": line["id"]})
    assert words is not None
    assert "老板" not in "".join(str(value) for value in line.values())
    assert words["body"] == "老板电话不通"
    assert line["text_digest"] == hashlib.sha256((words["salt"] + words["body"]).encode()).hexdigest()


async def test_the_same_words_have_another_digest_each_time(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    appeal = await park.step(appeal, Verb.NOTE, text="同一句话")
    await park.step(appeal, Verb.NOTE, text="同一句话")
    digests = await park.tx.all("SELECT text_digest FROM events WHERE name = 'note'")
    assert len({row["text_digest"] for row in digests}) == 2


async def test_a_line_without_words_has_no_digest(park: Park) -> None:
    await park.step(await park.walk(), Verb.DISPATCH, text="")
    line = await park.tx.one("SELECT id, text_digest FROM events WHERE name = 'dispatch'")
    assert line is not None
    assert line["text_digest"] is None
    assert not await park.tx.all("SELECT * FROM event_texts WHERE event_id = :id", {"id": line["id"]})


async def test_what_moved_stands_in_the_line_with_both_values(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH, Verb.ACKNOWLEDGE)
    await park.step(appeal, Verb.DIFFICULTY, difficulty=Difficulty.HARD)
    line = await park.tx.one("SELECT facts FROM events WHERE name = 'difficulty'")
    assert line is not None
    facts = json.loads(line["facts"])
    assert (facts["difficulty_before"], facts["difficulty"]) == ("normal", "hard")
    assert (facts["due_before"], facts["due"]) == (
        {"at": to_ms(civil("2026-03-23 17:30"))},
        {"at": to_ms(civil("2026-03-30 17:30"))},
    )


async def test_files_are_tied_to_their_line(park: Park) -> None:
    stored = {"hash": "a" * 64, "media_type": "image/jpeg", "size": 1, "content": b"x", "kept_at": 0}
    await park.tx.run("INSERT INTO files VALUES (:hash, :media_type, :size, :content, :kept_at)", stored)
    await park.step(await park.walk(), Verb.SUPPLEMENT, attachments=(("a" * 64, "照片.jpg"),))
    tied = await park.tx.all("SELECT e.name, f.name AS file FROM event_files f JOIN events e ON e.id = f.event_id")
    assert [dict(row) for row in tied] == [{"name": "supplement", "file": "照片.jpg"}]


@pytest.mark.parametrize("sql", ["UPDATE events SET at = 0", "DELETE FROM events"])
async def test_history_can_only_grow(park: Park, sql: str) -> None:
    await park.walk()
    with pytest.raises(ConstraintViolated, match="append-only"):
        await park.tx.run(sql)


async def test_a_version_can_be_recorded_once(park: Park) -> None:
    appeal = await park.walk()
    twice = history.Line("appeal:1", "note", None, MONDAY, {}, appeal_id=appeal.id, version=1)
    with pytest.raises(ConstraintViolated):
        await history.write(park.tx, twice)


async def test_numbers_go_on_and_never_come_twice(park: Park) -> None:
    assert [await appeals.new_number(park.tx) for _ in range(3)] == ["1", "2", "3"]


async def test_an_outdated_button_is_one_from_before_status_or_owner_changed(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    seen = appeal.version
    noted = await park.step(appeal, Verb.NOTE)
    assert not await appeals.moved_since(park.tx, noted, seen)
    moved = await park.step(noted, Verb.DISPATCH, handler_id=park.other)
    assert await appeals.moved_since(park.tx, moved, seen)
    assert not await appeals.moved_since(park.tx, moved, moved.version)
    taken = await park.step(moved, Verb.ACKNOWLEDGE)
    assert await appeals.moved_since(park.tx, taken, moved.version)


async def test_the_clock_finds_what_is_due_the_longest_due_first(park: Park) -> None:
    first = await park.walk(Verb.DISPATCH)
    second = await park.walk(Verb.DISPATCH, at=civil("2026-03-06 10:00"))
    closed = await park.walk(Verb.DECLINE)
    assert closed.next_due is None
    assert first.next_due is not None
    assert second.next_due is not None
    assert await appeals.next_due(park.tx, civil("2026-03-06 10:00")) == second.next_due
    assert await appeals.next_due(park.tx, second.next_due) == first.next_due
    assert await appeals.due(park.tx, second.next_due - timedelta(milliseconds=1)) == []
    assert await appeals.due(park.tx, first.next_due) == [second.id, first.id]
    assert await appeals.due(park.tx, first.next_due, most=1) == [second.id]


# Who hears ----------------------------------------------------------------------------------------------------------
WORK = (Verb.DISPATCH, Verb.ACKNOWLEDGE)
REACHED = "contact:firm.milestone_done coordinator:watch.last_milestone"
SHARED = (*WORK, Verb.ASSIST)
DONE = (*WORK, Verb.RESOLVE)
TWICE = (*DONE, Verb.DISSATISFIED, Verb.RESOLVE)
CLOSED = "handler:task.closed liaison:task.closed group:group.closed"
REWORKED = "handler:task.rework coordinator:watch.rework group:group.rework"
HANDED = "handler:task.dispatched liaison:task.informed contact:firm.dispatched"
SURVEYED = "contact:firm.survey liaison:task.resolved_by_other"
PUT_OFF = "contact:firm.suspended handler:task.suspended"
# What was done before, the step, who takes it, and all who are told with the key of what they are told.
TOLD: list[tuple[tuple[Verb, ...], Verb, str, str]] = [
    ((), Verb.DISPATCH, "coordinator", HANDED),
    ((Verb.DISPATCH, Verb.RETURN), Verb.RULE, "coordinator", HANDED),
    ((), Verb.DECLINE, "coordinator", "contact:firm.declined"),
    ((Verb.DECLINE,), Verb.OBJECT, "contact", "coordinator:triage.again"),
    ((Verb.DISPATCH,), Verb.ACKNOWLEDGE, "handler", "contact:firm.acknowledged group:group.acknowledged"),
    ((Verb.DISPATCH,), Verb.RETURN, "handler", "coordinator:triage.returned contact:firm.reassigning"),
    (WORK, Verb.CONTACTED, "handler", ""),
    (WORK, Verb.PROGRESS, "handler", "contact:firm.progress"),
    (WORK, Verb.PROGRESS, "liaison", "contact:firm.progress"),
    (WORK, Verb.NOTE, "handler", ""),
    (WORK, Verb.HAND_OVER, "coordinator", "contact:firm.handed_over"),
    (WORK, Verb.REQUEST, "handler", "coordinator:triage.asked_extend"),
    (WORK, Verb.APPROVE, "coordinator", "contact:firm.long_term_asked"),
    (WORK, Verb.DENY, "coordinator", "handler:task.denied"),
    (WORK, Verb.RESOLVE, "handler", SURVEYED),
    (WORK, Verb.EXPLAIN, "handler", SURVEYED),
    (WORK, Verb.SUSPEND, "coordinator", PUT_OFF),
    (WORK, Verb.EXTEND, "coordinator", "contact:firm.extended handler:task.extended group:group.extended"),
    (WORK, Verb.HARD_DATE, "coordinator", "handler:task.hard_date contact:firm.redated"),
    (WORK, Verb.AGREE, "contact", "handler:task.long_term coordinator:watch.long_term"),
    (WORK, Verb.DISAGREE, "contact", "handler:task.disagreed coordinator:watch.disagreed"),
    ((*WORK, Verb.AGREE), Verb.MILESTONE, "handler", "contact:firm.milestone"),
    ((*WORK, Verb.AGREE), Verb.MILESTONE_DONE, "handler", REACHED),
    (WORK, Verb.RECATEGORISE, "coordinator", ""),
    (WORK, Verb.INSTANT, "handler", SURVEYED),
    (WORK, Verb.ASSIST, "coordinator", "other:task.part handler:task.part_given contact:firm.part"),
    (SHARED, Verb.PART_ACKNOWLEDGE, "other", "handler:task.part_acknowledge"),
    (SHARED, Verb.PART_PROGRESS, "other", "handler:task.part_progress"),
    (SHARED, Verb.PART_DONE, "other", "handler:task.part_done"),
    (SHARED, Verb.PART_RETURN, "other", "handler:task.part_return coordinator:watch.part_return"),
    (SHARED, Verb.WAIVE, "coordinator", "other:task.part_waived handler:task.waived"),
    (SHARED, Verb.WITHDRAW, "contact", "handler:task.withdrawn other:task.withdrawn group:group.withdrawn"),
    (SHARED, Verb.SUSPEND, "coordinator", f"{PUT_OFF} other:task.part_paused"),
    (WORK, Verb.BEYOND, "handler", "contact:firm.beyond coordinator:watch.beyond"),
    ((*WORK, Verb.BEYOND), Verb.PART_DONE, "handler", "contact:firm.beyond_news"),
    (WORK, Verb.REFER, "coordinator", "chief:watch.referred handler:task.referred"),
    (WORK, Verb.SUPERVISE, "coordinator", "handler:task.supervised head:watch.supervised"),
    (WORK, Verb.INSTRUCT, "chief", "handler:task.ordered head:watch.ordered coordinator:watch.ordered"),
    ((*WORK, Verb.SUPERVISE), Verb.PROGRESS, "handler", "contact:firm.progress chief:watch.order_answered"),
    ((*WORK, Verb.SUSPEND), Verb.RESUME, "coordinator", "contact:firm.resumed handler:task.resumed"),
    (DONE, Verb.SATISFIED, "contact", CLOSED),
    (DONE, Verb.FAIRLY_SATISFIED, "contact", CLOSED),
    (DONE, Verb.DISSATISFIED, "contact", REWORKED),
    (TWICE, Verb.DISSATISFIED, "contact", f"{REWORKED} inspector:watch.escalated"),
    (DONE, Verb.SOLVED, "contact", ""),
    (DONE, Verb.FOLLOW_UP, "coordinator", ""),
    ((*DONE, Verb.FOLLOW_UP, Verb.FOLLOW_UP), Verb.FOLLOW_UP, "coordinator", "contact:firm.unrated"),
    ((*DONE, Verb.SATISFIED), Verb.REWORK, "inspector", REWORKED),
    ((*TWICE, Verb.DISSATISFIED), Verb.INSTRUCT, "inspector", "handler:task.instructed contact:firm.progress"),
    ((*TWICE, Verb.DISSATISFIED), Verb.CLOSE_DISPUTED, "inspector", "handler:task.disputed contact:firm.disputed"),
    ((), Verb.WITHDRAW, "contact", "coordinator:task.withdrawn group:group.withdrawn"),
    (WORK, Verb.WITHDRAW, "contact", "handler:task.withdrawn group:group.withdrawn"),
    ((Verb.WITHDRAW,), Verb.UNDO, "contact", "coordinator:triage.again"),
    (WORK, Verb.MERGE, "coordinator", "contact:firm.merged handler:task.merged"),
    (WORK, Verb.SUPPLEMENT, "contact", "handler:task.supplemented"),
    (WORK, Verb.URGE, "contact", "handler:task.urged"),
    ((), Verb.URGE, "contact", "coordinator:triage.urged"),
    ((Verb.DISPATCH, Verb.RETURN), Verb.URGE, "contact", "coordinator:triage.urged"),
    (WORK, Verb.URGENT, "contact", "handler:task.urgent"),
]
STEPS = pytest.mark.parametrize(
    "way,verb,actor,told", TOLD, ids=[f"{len(way)} steps, {verb} by {actor}" for way, verb, actor, _ in TOLD]
)


@STEPS
async def test_each_step_is_told_to_those_whom_it_concerns(
    park: Park, way: tuple[Verb, ...], verb: Verb, actor: str, told: str
) -> None:
    appeal = await park.walk(*way)
    await park.step(appeal, verb, getattr(park, actor))
    assert sorted(f"{who}:{key}" for who, key in await park.owed()) == sorted(told.split())


async def test_filing_tells_nobody_yet(park: Park) -> None:
    await park.appeal()
    assert await park.owed() == []


async def test_what_was_recorded_for_a_firm_is_told_to_all_its_contacts(park: Park) -> None:
    await park.appeal(recorded_by=park.liaison, contact_id=None)
    assert set(await park.owed()) == {("contact", "firm.recorded"), ("colleague", "firm.recorded")}


async def test_a_dispatch_by_the_rules_is_no_news_for_the_firm(park: Park) -> None:
    await park.step(await park.walk(), Verb.DISPATCH)
    assert set(await park.owed()) == {("handler", "task.dispatched"), ("liaison", "task.informed")}


async def test_a_handler_who_is_the_liaison_hears_once(park: Park) -> None:
    await park.step(await park.walk(), Verb.DISPATCH, handler_id=park.liaison)
    assert await park.owed() == [("liaison", "task.dispatched")]


async def test_the_previous_handler_hears_that_the_matter_was_taken_over(park: Park) -> None:
    await park.step(await park.walk(*WORK), Verb.DISPATCH, park.coordinator, handler_id=park.other)
    assert ("handler", "task.taken_over") in await park.owed()
    await park.tx.run("DELETE FROM outbox")
    appeal = await park.walk(Verb.DISPATCH, liaison_id=park.handler)
    await park.step(appeal, Verb.DISPATCH, park.coordinator, handler_id=park.other)
    assert [key for who, key in await park.owed() if who == "handler"] == ["task.taken_over"]


async def test_who_is_meant_twice_hears_once(park: Park) -> None:
    await park.tx.run("INSERT INTO person_roles VALUES (:id, 'coordinator')", {"id": park.handler})
    await park.step(await park.walk(*DONE), Verb.DISSATISFIED, park.contact)
    assert [key for who, key in await park.owed() if who == "handler"] == ["task.rework"]


async def test_the_one_who_acted_is_not_told(park: Park) -> None:
    await park.tx.run("INSERT INTO person_roles VALUES (:id, 'coordinator')", {"id": park.handler})
    await park.step(await park.walk(Verb.DISPATCH), Verb.RETURN, park.handler)
    assert set(await park.owed()) == {("coordinator", "triage.returned"), ("contact", "firm.reassigning")}


async def test_an_answer_by_call_is_told_to_the_firm_which_may_contradict(park: Park) -> None:
    await park.step(await park.walk(*DONE), Verb.SATISFIED, park.coordinator, facts={"by_call": True})
    told = {row["text_key"]: row for row in await park.rows() if row["person_id"] == park.contact}
    assert verbs_of(told["firm.closed_by_call"]) == [Verb.DISSATISFIED]


async def test_a_firm_whose_contact_has_left_is_heard_by_the_others(park: Park) -> None:
    appeal = await park.walk(*WORK)
    await park.tx.run("DELETE FROM contacts WHERE person_id = :id", {"id": park.contact})
    await park.step(appeal, Verb.PROGRESS, park.handler)
    assert await park.owed() == [("colleague", "firm.progress")]


async def test_a_matter_whose_handler_has_left_is_the_coordinators(park: Park) -> None:
    appeal = await park.walk(*WORK)
    await park.tx.run("UPDATE people SET active = 0 WHERE id = :id", {"id": park.handler})
    await park.step(appeal, Verb.URGE, park.contact)
    assert await park.owed() == [("coordinator", "task.urged")]


# Buttons ------------------------------------------------------------------------------------------------------------
def verbs_of(row: Row) -> list[Verb]:
    buttons = [Button.parse(data) for line in json.loads(row["buttons"]) for data, _ in line]
    return [button.verb for button in buttons if button]


OFFERED = [
    ((), Verb.DISPATCH, "handler", TASK_BUTTONS),
    (WORK, Verb.RESOLVE, "contact", SURVEY_BUTTONS),
    ((Verb.DISPATCH,), Verb.URGE, "handler", TASK_BUTTONS),
    (WORK, Verb.URGE, "handler", WORK_BUTTONS),
    ((Verb.DISPATCH, Verb.RETURN), Verb.URGE, "coordinator", TRIAGE_BUTTONS),
    ((), Verb.URGENT, "coordinator", TRIAGE_BUTTONS),
    ((*WORK, Verb.SUSPEND), Verb.URGE, "handler", (Verb.PROGRESS,)),
    (TWICE, Verb.DISSATISFIED, "handler", (Verb.PROGRESS,)),
]


@pytest.mark.parametrize("way,verb,listener,buttons", OFFERED)
async def test_whoever_hears_is_offered_what_he_can_do_next(
    park: Park, way: tuple[Verb, ...], verb: Verb, listener: str, buttons: tuple[Verb, ...]
) -> None:
    appeal = await park.walk(*way)
    after = await park.step(appeal, verb, None)
    (row,) = [row for row in await park.rows() if row["person_id"] == getattr(park, listener)]
    assert tuple(verbs_of(row)) == buttons
    assert all(access_allows(verb, listener, after) for verb in buttons)
    first = Button.parse(json.loads(row["buttons"])[0][0][0])
    assert first is not None
    assert (first.number, first.version) == (after.number, after.version)


def access_allows(verb: Verb, listener: str, appeal: Appeal) -> bool:
    relation = {"contact": Relation.FIRM, "handler": Relation.HANDLER, "coordinator": Relation.COORDINATOR}[listener]
    return may(verb, frozenset({relation}), appeal.status)


# Where it is said ---------------------------------------------------------------------------------------------------
async def in_the_group(park: Park, group: int, **fields: Any) -> Mapping[str, Any]:
    appeal = await park.walk(*DONE, origin_chat_id=group, **fields)
    await park.step(appeal, Verb.DISSATISFIED, park.contact, text="还是跳闸")
    rows = [row for row in await park.rows() if row["chat_id"] == group]
    assert [row["text_key"] for row in rows] == ["group.rework"]
    assert rows[0]["buttons"] == "[]"
    assert rows[0]["person_id"] is None
    facts: Mapping[str, Any] = json.loads(rows[0]["facts"])
    return facts


async def test_a_group_of_one_firm_hears_the_title_but_never_the_reason(park: Park) -> None:
    facts = await in_the_group(park, park.group)
    assert (facts["title"], facts["text"]) == ("车间电压低", None)
    assert facts["status"]["said"] == "status.rework.firm"


async def test_a_group_of_several_firms_hears_labels_alone(park: Park) -> None:
    second = await make_enterprise(park.tx, "和顺物流有限公司")
    shared = await make_group(park.tx, Purpose.LIAISON, park.firm, second, name="片区群")
    facts = await in_the_group(park, shared)
    assert (facts["title"], facts["text"], facts["contact"]) == (None, None, None)
    assert "车间" not in json.dumps(facts, ensure_ascii=False)


async def test_the_group_of_another_firm_hears_nothing(park: Park) -> None:
    second = await make_enterprise(park.tx, "和顺物流有限公司")
    theirs = await make_group(park.tx, Purpose.LIAISON, second, name="和顺群")
    await park.step(await park.walk(*DONE, origin_chat_id=theirs), Verb.DISSATISFIED, park.contact, text="还是跳闸")
    assert "group" not in {who for who, _ in await park.owed()}


@pytest.mark.parametrize(
    "fields",
    [{"sealed": True}, {"kind": Kind.COMPLAINT}, {"category": "enforce"}],
    ids=["sealed", "complaint", "sensitive"],
)
async def test_no_group_hears_of_what_is_sealed_or_sensitive(park: Park, fields: Mapping[str, Any]) -> None:
    appeal = await park.walk(*DONE, **fields)
    await park.step(appeal, Verb.DISSATISFIED, park.contact)
    assert "group" not in {who for who, _ in await park.owed()}


@pytest.mark.parametrize("approved", [True, False])
async def test_a_group_that_nobody_approved_hears_nothing(park: Park, approved: bool) -> None:
    group = await make_group(park.tx, Purpose.LIAISON, park.firm, name="新群", approved_at=0 if approved else None)
    await park.step(await park.walk(*DONE, origin_chat_id=group), Verb.SATISFIED, park.contact)
    assert (("group", "group.closed") in await park.owed()) is approved


async def test_a_matter_raised_privately_is_told_in_no_group(park: Park) -> None:
    private = await private_chat_of(park.tx, park.contact)
    await park.step(await park.walk(*DONE, origin_chat_id=private), Verb.SATISFIED, park.colleague)
    assert {row["chat_id"] for row in await park.rows() if row["text_key"].startswith("group.")} == set()


async def test_the_coordination_group_hears_the_whole(park: Park) -> None:
    room = await make_group(park.tx, Purpose.COORDINATION, name="协调群")
    appeal = await park.walk(*WORK)
    change = take(appeal, Verb.PROGRESS, by=None, at=MONDAY, rules=RULES, details=Details(text="已查勘"))
    await listeners.owe(park.tx, Notice(Listener.COORDINATION_GROUP, "watch.rework"), appeal, change, RULES)
    (row,) = await park.rows()
    assert (row["chat_id"], json.loads(row["facts"])["text"]) == (room, "已查勘")


# Sealed -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "way,verb,actor,told", [case for case in TOLD if Verb.ASSIST not in (*case[0], case[1])]  # never shared
)
async def test_what_is_sealed_is_told_to_reporter_and_inspector_alone(
    park: Park, way: tuple[Verb, ...], verb: Verb, actor: str, told: str
) -> None:
    appeal = await park.walk(*way, sealed=True)
    await park.step(appeal, verb, getattr(park, actor))
    assert {who for who, _ in await park.owed()} <= {"contact", "inspector"}


async def test_a_sealed_matter_that_nobody_holds_is_the_inspectors(park: Park) -> None:
    await park.step(await park.walk(sealed=True), Verb.WITHDRAW, park.contact)
    assert await park.owed() == [("inspector", "task.withdrawn")]


async def test_nobody_but_the_inspector_calls_the_reporter_of_a_sealed_matter(park: Park) -> None:
    appeal = await park.walk(*WORK, sealed=True)
    await unreachable(park, park.contact)
    await park.step(appeal, Verb.PROGRESS, None)
    assert await park.owed() == [("inspector", "watch.unreachable")]


# Unreachable --------------------------------------------------------------------------------------------------------
async def unreachable(park: Park, *persons: int) -> None:
    for person in persons:
        chat = await private_chat_of(park.tx, person)
        await park.tx.run("UPDATE chats SET reachable = 0 WHERE id = :id", {"id": chat})


async def test_for_a_contact_whom_no_chat_reaches_the_liaison_is_asked_to_call(park: Park) -> None:
    appeal = await park.walk(*WORK)
    await unreachable(park, park.contact)
    await park.step(appeal, Verb.RESOLVE, park.handler)
    rows = [row for row in await park.rows() if row["text_key"] == "watch.unreachable"]
    assert [(row["person_id"], row["buttons"]) for row in rows] == [(park.liaison, "[]")]
    assert json.loads(rows[0]["facts"])["whom"] == "张建国"


async def test_where_the_liaison_is_out_of_reach_too_the_coordinators_call(park: Park) -> None:
    appeal = await park.walk(*WORK)
    await unreachable(park, park.contact, park.liaison)
    await park.step(appeal, Verb.PROGRESS, park.handler)
    assert await park.owed() == [("coordinator", "watch.unreachable")]


async def test_for_a_cadre_whom_no_chat_reaches_the_coordinators_are_told(park: Park) -> None:
    appeal = await park.walk(*WORK)
    await unreachable(park, park.handler)
    await park.step(appeal, Verb.SUPPLEMENT, park.contact)
    assert await park.owed() == [("coordinator", "watch.unreachable")]


async def test_nobody_is_told_of_himself_that_he_is_out_of_reach(park: Park) -> None:
    appeal = await park.walk(Verb.DISPATCH)
    await unreachable(park, park.coordinator)
    await park.step(appeal, Verb.RETURN, park.handler)
    assert await park.owed() == [("contact", "firm.reassigning")]


# When it may be heard -----------------------------------------------------------------------------------------------
HOURS = [
    # at, an office person hears at, a contact or a group hears at
    ("2026-03-09 10:00", "2026-03-09 10:00", "2026-03-09 10:00"),  # working time
    ("2026-03-09 12:30", "2026-03-09 14:00", "2026-03-09 12:30"),  # noon break
    ("2026-03-09 19:00", "2026-03-10 08:30", "2026-03-09 19:00"),  # evening
    ("2026-03-09 23:00", "2026-03-10 08:30", "2026-03-10 08:00"),  # night
    ("2026-03-10 07:59", "2026-03-10 08:30", "2026-03-10 08:00"),  # before dawn
    ("2026-03-10 08:00", "2026-03-10 08:30", "2026-03-10 08:00"),
    ("2026-03-14 10:00", "2026-03-16 08:30", "2026-03-14 10:00"),  # Saturday
    ("2026-03-14 22:00", "2026-03-16 08:30", "2026-03-15 08:00"),  # Saturday night
    ("2026-05-01 10:00", "2026-05-06 08:30", "2026-05-01 10:00"),  # holiday
    ("2026-05-09 10:00", "2026-05-09 10:00", "2026-05-09 10:00"),  # a Saturday on which people work
]


async def heard(park: Park, at: str, *, urgent: bool = False) -> Mapping[str, datetime]:
    appeal = await park.walk(Verb.DISPATCH, urgent=urgent, at=civil("2026-03-02 10:00"))
    await park.step(appeal, Verb.ACKNOWLEDGE, at=civil(at))
    await park.step(replace(appeal, version=appeal.version + 1), Verb.URGE, at=civil(at))
    rows = await park.rows()
    return {park.names.get(row["person_id"] or 0, "group"): from_ms(row["due_at"]) for row in rows}


@pytest.mark.parametrize("at,office,firm", HOURS)
async def test_cadres_hear_in_working_hours_and_firms_by_day(park: Park, at: str, office: str, firm: str) -> None:
    due = await heard(park, at)
    assert due == {"handler": civil(office), "contact": civil(firm), "group": civil(firm)}


@pytest.mark.parametrize("at", [at for at, _, _ in HOURS])
async def test_what_is_urgent_waits_for_nobody(park: Park, at: str) -> None:
    assert set((await heard(park, at, urgent=True)).values()) == {civil(at)}


def test_an_office_that_opens_before_the_night_is_over_hears_after_it() -> None:
    early = Hours((parse_interval("07:00-12:00"),), quiet=parse_interval("21:00-08:00"))
    rules = replace(RULES, calendar=Calendar(read_years(), early, ZONE))
    cadre = Person(1, "王敏", frozenset({Role.LIAISON}))
    for at in ("2026-03-09 22:00", "2026-03-10 06:30", "2026-03-10 07:30"):
        assert listeners.audible(rules, cadre, civil(at), urgent=False) == civil("2026-03-10 08:00")


def test_where_all_hours_are_open_nothing_waits() -> None:
    rules = make_rules(always=True)
    cadre = Person(1, "王敏", frozenset({Role.LIAISON}))
    for person in (cadre, None):
        assert listeners.audible(rules, person, civil("2026-05-01 23:00"), urgent=False) == civil("2026-05-01 23:00")


# The words of a message ---------------------------------------------------------------------------------------------
async def test_every_message_about_a_matter_names_it_and_stands_in_its_lane(park: Park) -> None:
    appeal = await park.walk(*WORK)
    await park.step(appeal, Verb.RESOLVE, park.handler, text="已换变压器")
    for row in await park.rows():
        facts = json.loads(row["facts"])
        assert (row["appeal_id"], row["lane"], facts["number"]) == (appeal.id, Lane.CASE, appeal.number)
        assert (facts["text"], facts["actor"], facts["firm"]) == ("已换变压器", "李强", "宏达机械")


async def test_firms_read_gentler_words_for_a_status_than_the_office(park: Park) -> None:
    await park.step(await park.walk(Verb.DISPATCH), Verb.RETURN, park.handler)
    words = {park.names[row["person_id"]]: json.loads(row["facts"])["status"]["said"] for row in await park.rows()}
    assert words == {"coordinator": "status.returned", "contact": "status.returned.firm"}


WHERE_THE_DATE_MOVES = {Verb.DIFFICULTY, Verb.RECATEGORISE, Verb.RECOUNT}


def test_the_table_of_who_hears_forgets_no_step_that_is_told() -> None:
    told = {verb for _, verb, _, keys in TOLD if keys}
    assert _BY_VERB.keys() - {Verb.FILE} == told | WHERE_THE_DATE_MOVES


async def test_another_difficulty_is_told_where_it_moves_the_date(park: Park) -> None:
    await park.step(await park.walk(*WORK), Verb.DIFFICULTY, park.coordinator, difficulty=Difficulty.HARD)
    assert await park.owed() == [("contact", "firm.redated"), ("handler", "task.redated")]


async def test_a_calendar_that_moves_a_date_is_told_with_its_reason(park: Park) -> None:
    appeal = await park.walk(*WORK)
    calendar = Calendar(read_years(), RULES.calendar.hours, ZONE, frozenset({date(2026, 3, 12)}))
    details = Details(facts={"reason": "台风停工"})
    change = take(appeal, Verb.RECOUNT, by=None, at=MONDAY, rules=replace(RULES, calendar=calendar), details=details)
    after = await appeals.record(park.tx, change, RULES)
    assert (appeal.due, after.due) == (civil("2026-03-23 17:30"), civil("2026-03-24 17:30"))
    rows = {row["person_id"]: json.loads(row["facts"]) for row in await park.rows()}
    assert {park.names[who]: facts["reason"] for who, facts in rows.items()} == {
        "contact": "台风停工",
        "handler": "台风停工",
    }
    assert rows[park.contact]["before"] == {"at": to_ms(appeal.due)}
