"""Everybody tries anything in any order at moving times, on a real database: what a park relies on holds all along."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from domain import ladder
from domain.access import Relation, may, relations
from domain.appeal import OPEN, Appeal, Change, Details, Satisfaction, Status
from domain.errors import Refused, Stale
from domain.lifecycle import STEPS, submit, take
from domain.notices import Notice, notices
from domain.people import Person, Purpose, Role
from domain.rules import Clock, Difficulty, Kind, Listener, Rung
from domain.said import Fact
from domain.verbs import Verb
from domain.workdays import parse_span
from storage import appeals, history, listeners, people
from storage.database import Database, Row, Tx
from storage.open import open_database
from storage.scope import SYSTEM, scope_of
from tests.making import LADDERS, civil, drafted, make_department, make_enterprise, make_group, make_person, make_rules
from tests.needs import full

T = TypeVar("T")
DISPATCH = (Rung("0s", parse_span("0s"), (Listener.COORDINATOR,)),)
RULES = make_rules(ladders={**LADDERS, Clock.DISPATCH: DISPATCH})
START = civil("2026-03-09 10:00")
POSITIVE = (Satisfaction.SATISFIED, Satisfaction.FAIRLY_SATISFIED)
SETTLED = frozenset(Status) - OPEN - {Status.RESOLVED}
VERDICTS = (Verb.SATISFIED, Verb.FAIRLY_SATISFIED, Verb.DISSATISFIED)
MOVES_THE_DATE = frozenset({Verb.DISSATISFIED, Verb.REWORK, Verb.RESUME, Verb.RECATEGORISE, Verb.DIFFICULTY})
NEED_NOT_HEAR = frozenset({Listener.LIAISON, Listener.ORIGIN_GROUP})  # the liaison may be the handler himself

PEOPLE: Mapping[str, tuple[Role, ...]] = {
    "张建国": (Role.CONTACT,),
    "赵敏": (Role.CONTACT,),
    "和顺老板": (Role.CONTACT,),
    "两家联系人": (Role.CONTACT,),
    "王敏": (Role.LIAISON,),
    "备岗": (Role.LIAISON,),
    "孙挂钩": (Role.LIAISON, Role.CONTACT),
    "李强": (Role.HANDLER,),
    "钱进": (Role.HANDLER, Role.CONTACT),
    "局长": (Role.HEAD,),
    "首席": (Role.CHIEF,),
    "周协": (Role.COORDINATOR,),
    "郑协": (Role.COORDINATOR, Role.CONTACT),
    "吴纪": (Role.INSPECTOR,),
    "监测员": (Role.MONITOR,),
    "前联系人": (),
    "路人": (),
}
UNREACHABLE = ("赵敏", "郑协")
NAMES = tuple(PEOPLE)
HANDLERS = ("李强", "钱进", "王敏", "孙挂钩")
STEP_VERBS = tuple(sorted({verb for verb, _ in STEPS}))


@dataclass(frozen=True, slots=True)
class Park:
    """Row ids by name."""

    ids: Mapping[str, int]
    firms: Sequence[int]
    units: Sequence[int]
    groups: Sequence[int]


async def furnish(tx: Tx) -> Park:
    ids = {name: await make_person(tx, name, *roles, chat=name not in UNREACHABLE) for name, roles in PEOPLE.items()}
    units = [
        await make_department(tx, "县供电公司", "power", duty_id=ids["李强"], head_id=ids["局长"]),
        await make_department(tx, "自然资源局", "land", duty_id=ids["钱进"]),
    ]
    first = ("张建国", "赵敏", "两家联系人", "钱进", "郑协", "前联系人")
    roster = {"liaison_id": ids["王敏"], "deputy_id": ids["备岗"], "chief_id": ids["首席"]}
    firms = [
        await make_enterprise(tx, "宏达机械有限公司", *(ids[name] for name in first), **roster),
        await make_enterprise(
            tx, "和顺物流有限公司", *(ids[n] for n in ("和顺老板", "两家联系人", "孙挂钩")), liaison_id=ids["孙挂钩"]
        ),
    ]
    groups = [
        await make_group(tx, Purpose.LIAISON, firms[0], name="宏达群"),
        await make_group(tx, Purpose.LIAISON, *firms, name="片区群"),
        await make_group(tx, Purpose.LIAISON, firms[1], name="未批群", approved_at=None),
    ]
    return Park(ids, firms, units, groups)


class LifeOfAPark(RuleBasedStateMachine):
    """A model that remembers of each appeal only what was last recorded; the database must agree all along."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.database: Database = self.runner.run(open_database("sqlite:///:memory:"))
        self.park = self.do(furnish)
        self.now = START
        self.known: list[Appeal] = []
        self.past: list[Change] = []
        self.filed: dict[str, tuple[datetime, datetime]] = {}

    def do(self, unit: Callable[[Tx], Awaitable[T]]) -> T:
        """Run one unit of work."""
        return self.runner.run(_within(self.database, unit))

    def teardown(self) -> None:
        self.runner.run(self.database.close())
        self.runner.close()

    # What happens -----------------------------------------------------------------------------------------------
    @initialize()
    def a_first_matter(self) -> None:
        self.file("张建国", 0, 0, Kind.APPEAL, sealed=False, urgent=False)

    @precondition(lambda self: len(self.known) < 4)
    @rule(
        who=st.sampled_from(NAMES),
        firm=st.integers(0, 1),
        group=st.sampled_from([None, 0, 1, 2]),
        kind=st.sampled_from(Kind),
        sealed=st.sampled_from([False, False, False, True]),
        urgent=st.booleans(),
    )
    def file(self, who: str, firm: int, group: int | None, kind: Kind, sealed: bool, urgent: bool) -> None:
        """A contact raises a matter of his firm, or somebody else's is recorded without one."""

        async def unit(tx: Tx) -> Change:
            person = await self.person(tx, who)
            enterprise = await people.enterprise(tx, self.park.firms[firm])
            speaks = person.has(Role.CONTACT) and enterprise.id in person.enterprise_ids
            draft = drafted(
                number=await appeals.new_number(tx),
                kind=kind,
                enterprise_id=enterprise.id,
                contact_id=person.id if speaks or sealed else None,
                recorded_by=None if speaks or sealed else person.id,
                liaison_id=enterprise.liaison_id,
                origin_chat_id=None if group is None or sealed else self.park.groups[group],
                sealed=sealed,
                urgent=urgent,
            )
            change = submit(draft, by=person.id, at=self.now, rules=RULES)
            return replace(change, after=await self.record(tx, change))

        change = self.do(unit)
        self.known.append(change.after)
        self.past.append(change)
        self.filed[change.after.number] = (change.after.received_at, change.after.due)

    @rule(
        who=st.sampled_from(NAMES),
        which=st.integers(0, 3),
        verb=st.sampled_from(STEP_VERBS),
        whom=st.sampled_from(HANDLERS),
        unit_=st.sampled_from([None, 0, 1]),
        difficulty=st.sampled_from(Difficulty),
        words=st.sampled_from(["说明", "说明", "说明", ""]),
    )
    def anybody_tries(
        self, who: str, which: int, verb: Verb, whom: str, unit_: int | None, difficulty: Difficulty, words: str
    ) -> None:
        """Somebody says something of some matter: what he may not do he cannot do."""
        details = Details(
            text=words,
            handler_id=self.park.ids[whom],
            department_id=None if unit_ is None else self.park.units[unit_],
            category="land",
            difficulty=difficulty,
            merged_into="99",
            instead_of=self.park.ids["王敏"],
        )
        self.attempt(which, who, verb, details)

    @rule(which=st.integers(0, 3), steps=st.integers(3, 12), data=st.data())
    def somebody_does_what_he_may(self, which: int, steps: int, data: st.DataObject) -> None:
        """Some of all the steps that somebody may take now, the rare ones as often as the usual ones."""
        for _ in range(steps):
            appeal = self.pick(which)
            able = self.do(partial(self.able, appeal=appeal))
            if not able:
                return
            verb = data.draw(st.sampled_from(sorted(able)), label="verb")
            who = data.draw(st.sampled_from(able[verb]), label="who")
            owner = data.draw(st.sampled_from(("吴纪",) if appeal.sealed else HANDLERS), label="owner")
            difficulty = data.draw(st.sampled_from(Difficulty), label="difficulty")
            given: dict[str, Any] = {"category": "land", "difficulty": difficulty, "merged_into": "99"}
            given["instead_of"] = appeal.handler_id or appeal.liaison_id
            self.attempt(which, who, verb, Details("说明", self.park.ids[owner], **given))
            self.now += timedelta(hours=data.draw(st.sampled_from([0, 0, 1, 20]), label="hours"))

    @rule(
        which=st.integers(0, 3),
        whom=st.sampled_from(HANDLERS),
        steps=st.integers(1, 6),
        verdict=st.sampled_from([None, *VERDICTS]),
    )
    def work_goes_on(self, which: int, whom: str, steps: int, verdict: Verb | None) -> None:
        """The usual way, so that the rare turns are reached as well: dispatch to verdict or vain calls."""
        owner = self.park.ids[whom]
        usual = [("周协", Verb.DISPATCH), (whom, Verb.ACKNOWLEDGE), (whom, Verb.RESOLVE)]
        usual += [("周协", Verb.FOLLOW_UP)] * 3 if verdict is None else [("张建国", verdict)]
        for name, verb in usual[:steps]:
            self.attempt(which, name, verb, Details(text="说明", handler_id=owner))

    @rule(which=st.integers(0, 3), times=st.integers(1, 3), word=st.sampled_from([None, *VERDICTS]))
    def a_coordinator_calls(self, which: int, times: int, word: Verb | None) -> None:
        """Calls are recorded by their caller's name: vain ones, or one with the firm's answer."""
        facts: Mapping[str, Fact] = {"by_call": True, "caller": "周协"}
        for _ in range(times):
            self.attempt(which, "周协", Verb.FOLLOW_UP, Details(text="电话回访", facts=facts), answer=word)

    @rule(which=st.integers(0, 3))
    def the_rules_dispatch(self, which: int) -> None:
        """Intake that is sure goes to its owner by itself, a sealed matter to the inspector."""
        appeal = self.pick(which)
        if appeal.status is not Status.SUBMITTED:
            return
        owner = "吴纪" if appeal.sealed else "王敏"
        self.perform(appeal, Verb.DISPATCH, None, Details(handler_id=self.park.ids[owner]))

    @rule(hours=st.sampled_from([0, 1, 3, 9, 24, 72, 24 * 11]))
    def time_passes(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def the_clock_looks(self) -> None:
        """The sweep looks at what is due and then has nothing left to look at."""

        async def unit(tx: Tx) -> None:
            for appeal_id in await appeals.due(tx, self.now):
                appeal = await appeals.by_id(tx, appeal_id)
                assert appeal is not None
                assert ladder.reached(appeal, RULES, self.now)
                await appeals.look_again(tx, appeal, ladder.next_due(appeal, RULES, self.now))
            assert not await appeals.due(tx, self.now)

        self.do(unit)
        self.known = self.do(self.stored)

    @rule(which=st.integers(0, 200))
    def somebody_is_late(self, which: int) -> None:
        """A change that was decided on an older state is stale, and nothing happens."""
        change = self.past[which % len(self.past)]
        if change.before is None:
            return
        before = self.do(_everything)
        with suppress(Stale):
            self.do(lambda tx: appeals.record(tx, change, RULES))
            raise AssertionError("an old change was recorded a second time")
        assert self.do(_everything) == before

    @rule()
    def a_contact_leaves_his_firm(self) -> None:
        leaver = {"id": self.park.ids["赵敏"]}
        self.do(lambda tx: tx.run("DELETE FROM contacts WHERE person_id = :id", leaver))

    # How it is done ---------------------------------------------------------------------------------------------
    def pick(self, which: int) -> Appeal:
        return self.known[which % len(self.known)]

    async def person(self, tx: Tx, name: str) -> Person:
        found = await people.person(tx, self.park.ids[name], self.now)
        assert found is not None
        return found

    async def stored(self, tx: Tx) -> list[Appeal]:
        found = [await appeals.get(tx, known.number, SYSTEM) for known in self.known]
        return [appeal for appeal in found if appeal is not None]

    async def held(self, tx: Tx, person: Person, appeal: Appeal) -> frozenset[Relation]:
        firm = await people.enterprise(tx, appeal.enterprise_id)
        return relations(person, appeal, firm, await people.headed_by(tx, person))

    async def able(self, tx: Tx, appeal: Appeal) -> Mapping[Verb, list[str]]:
        """Who may take which step of an appeal now."""
        found: dict[Verb, list[str]] = {}
        for name in NAMES:
            held = await self.held(tx, await self.person(tx, name), appeal)
            for verb in STEP_VERBS:
                if may(verb, held, appeal.status):
                    found.setdefault(verb, []).append(name)
        return found

    def attempt(self, which: int, who: str, verb: Verb, details: Details, answer: Verb | None = None) -> None:
        """As a chat would: what he cannot see does not exist, what he may not do is denied, the rest is taken."""
        appeal = self.pick(which)

        async def unit(tx: Tx) -> bool:
            person = await self.person(tx, who)
            held = await self.held(tx, person, appeal)
            scope = scope_of(person, await people.headed_by(tx, person))
            seen = await appeals.get(tx, appeal.number, scope)
            assert (seen is None) == (not held), f"{who} sees #{appeal.number} otherwise than he stands to it"
            if seen is not None:
                assert seen == appeal
            return may(verb, held, appeal.status)

        if self.do(unit):
            self.perform(appeal, answer or verb, who, details)

    def perform(self, appeal: Appeal, verb: Verb, who: str | None, details: Details) -> None:
        by = self.park.ids[who] if who else None
        try:
            change = take(appeal, verb, by=by, at=self.now, rules=RULES, details=details)
        except Refused:
            return

        async def unit(tx: Tx) -> Appeal:
            _holds_of(change, who, await self.held(tx, await self.person(tx, who), appeal) if who else frozenset())
            return await self.record(tx, change)

        after = self.do(unit)
        assert after == change.after
        self.known = [after if known.id == after.id else known for known in self.known]
        self.past.append(change)

    async def record(self, tx: Tx, change: Change) -> Appeal:
        """Through the one door, looking at every message that it owes."""
        last = await tx.one("SELECT COALESCE(MAX(id), 0) AS id FROM outbox")
        assert last is not None
        after = await appeals.record(tx, change, RULES)
        for row in await tx.all("SELECT * FROM outbox WHERE id > :id", last):
            await self.look_at(tx, row, change, after)
        for notice in notices(change):
            await self.is_heard(tx, notice, change, after)
        return after

    async def look_at(self, tx: Tx, row: Row, change: Change, after: Appeal) -> None:
        """Who hears may see the matter now or held it until now; the actor hears nothing of what he did himself."""
        facts, chat = json.loads(row["facts"]), await people.chat(tx, row["chat_id"])
        assert facts["number"] == after.number
        if not chat.private:
            assert not after.sealed
            assert chat.approved
            assert facts["text"] is None
            assert facts["title"] is None or chat.one_firm == after.enterprise_id
            return
        assert chat.person_id == row["person_id"]
        listener = await people.person(tx, row["person_id"], self.now)
        assert listener is not None
        held = await self.held(tx, listener, after)
        if row["text_key"] == "task.taken_over":
            assert change.before is not None
            held |= await self.held(tx, listener, change.before)
        assert held, f"{listener.name} hears {row['text_key']} of a matter that he may not see"
        if row["text_key"] != "watch.unreachable":
            assert listener.id != change.by
        assert row["due_at"] >= row["written_at"]

    async def is_heard(self, tx: Tx, notice: Notice, change: Change, after: Appeal) -> None:
        """No notice goes to nobody."""
        if notice.listener in NEED_NOT_HEAR:
            return
        assert await listeners.persons(tx, notice.listener, after, self.now, change.before), notice

    # What always holds ------------------------------------------------------------------------------------------
    @invariant()
    def the_database_is_as_it_was_left(self) -> None:
        stored = self.do(_everything)
        assert [appeal for appeal, _ in stored] == sorted(self.known, key=lambda known: known.id or 0)
        for appeal, versions in stored:
            assert versions == list(range(1, appeal.version + 1))

    @invariant()
    def every_matter_stands_somewhere_and_nothing_is_counted_twice(self) -> None:
        rows = self.do(lambda tx: tx.all("SELECT status, COUNT(*) AS n FROM appeals GROUP BY status"))
        assert {row["status"] for row in rows} <= set(Status)
        assert sum(row["n"] for row in rows) == len(self.known)

    @invariant()
    def the_clock_began_at_intake(self) -> None:
        for known in self.known:
            received_at, first_due = self.filed[known.number]
            assert known.received_at == received_at
            if not known.reworks:
                assert known.due >= first_due or known.category == "land" or known.difficulty is Difficulty.EASY

    @invariant()
    def silence_is_never_satisfaction(self) -> None:
        for known in self.known:
            assert (known.satisfaction in POSITIVE) == (known.status is Status.CLOSED)

    @invariant()
    def the_clock_has_something_to_say_only_while_something_is_waited_for(self) -> None:
        for known in self.known:
            if known.status in SETTLED or known.status in (Status.SUSPENDED, Status.LONG_TERM):
                assert known.next_due is None
                assert known.clocks == {}
            assert (known.settled_at is not None) == (known.status in SETTLED)


async def _within(database: Database, unit: Callable[[Tx], Awaitable[T]]) -> T:
    return await database.transaction(unit)


async def _everything(tx: Tx) -> list[tuple[Appeal, list[Any]]]:
    """All appeals with the versions of their history."""
    found = []
    for row in await tx.all("SELECT id FROM appeals ORDER BY id"):
        appeal = await appeals.by_id(tx, row["id"])
        assert appeal is not None
        found.append((appeal, [line["version"] for line in await history.of_appeal(tx, row["id"])]))
    return found


def _holds_of(change: Change, who: str | None, held: frozenset[Relation]) -> None:
    """What holds of one step, whoever took it."""
    before, after = change.before, change.after
    assert before is not None
    assert after.version == before.version + 1
    assert after.received_at == before.received_at
    if after.due != before.due:
        assert change.verb in MOVES_THE_DATE
    if after.status is Status.CLOSED and before.status is not Status.CLOSED:
        assert Relation.FIRM in held or change.facts.get("caller") == who, "only the firm's answer closes"
    if after.satisfaction is not before.satisfaction and after.satisfaction is not None:
        assert Relation.FIRM in held or change.facts.get("by_call")
    assert after.next_due is None or after.next_due >= change.at
    if before.next_due is not None and before.next_due <= change.at and ladder.reached(after, RULES, change.at):
        assert after.next_due == change.at, "a rung that nobody has looked at is forgotten"
    assert not (after.ruled and change.verb is Verb.RETURN)
    assert after.returns <= 2


LifeOfAPark.TestCase.settings = settings(
    max_examples=1000 if full() else 60,
    stateful_step_count=50 if full() else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLifeOfAPark = LifeOfAPark.TestCase
