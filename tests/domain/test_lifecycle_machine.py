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
from domain.appeal import OPEN, WORKING, Appeal, Change, Details, Satisfaction, Slip, Status
from domain.deadlines import Reckoning
from domain.errors import Refused, Stale
from domain.lifecycle import STEPS, submit, take
from domain.news import notices
from domain.notices import HELD_BACK, Notice
from domain.parts import PartKind
from domain.people import Person, Purpose, Role
from domain.rules import Clock, Difficulty, Kind, Listener, Rung
from domain.said import Fact, from_facts
from domain.verbs import Verb
from domain.workdays import Span, Unit, parse_span
from storage import appeals, history, people, standing
from storage.database import Database, Row, Tx
from storage.open import open_database
from storage.scope import SYSTEM, scope_of
from storage.values import from_json, from_ms
from tests.making import LADDERS, civil, drafted, make_department, make_enterprise, make_group, make_person, make_rules
from tests.needs import full

T = TypeVar("T")
DISPATCH = (Rung("0s", parse_span("0s"), (Listener.COORDINATOR,)),)
PART = (Rung("-1wd", parse_span("-1wd"), (Listener.CO_HANDLER,)), Rung("0s", parse_span("0s"), (Listener.CO_HANDLER,)))
MILESTONE = (Rung("0s", parse_span("0s"), (Listener.HANDLER,)),)
ORDER = (Rung("0s", parse_span("0s"), (Listener.HANDLER,)), Rung("+1wd", parse_span("1wd"), (Listener.ORDERER,)))
RULES = make_rules(
    ladders={
        **LADDERS,
        Clock.DISPATCH: DISPATCH,
        Clock.PART: PART,
        Clock.MILESTONE: MILESTONE,
        Clock.ORDER: ORDER,
    }
)
CALENDAR = RULES.calendar
START = civil("2026-03-09 10:00")
POSITIVE = (Satisfaction.SATISFIED, Satisfaction.FAIRLY_SATISFIED)
SETTLED = frozenset(Status) - OPEN - {Status.RESOLVED}
VERDICTS = (Verb.SATISFIED, Verb.FAIRLY_SATISFIED, Verb.DISSATISFIED)
MOVES_THE_DATE = frozenset(
    {
        Verb.DISSATISFIED,
        Verb.REWORK,
        Verb.RESUME,
        Verb.RECATEGORISE,
        Verb.DIFFICULTY,
        Verb.EXTEND,
        Verb.HARD_DATE,
    }
)
# The liaison may be the handler himself; not every unit has a head, not every firm a chief officer.
NEED_NOT_HEAR = frozenset({Listener.LIAISON, Listener.ORIGIN_GROUP, Listener.HEAD, Listener.CHIEF})
FINISHES = frozenset({Verb.RESOLVE, Verb.EXPLAIN, Verb.INSTANT})
UNITS = ("建设局", "水务局", "省电力公司")

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
        self.looked_at: set[tuple[str, str, int, str]] = set()

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
        words=st.sampled_from(["说明", "说明", "说明", ""]),
        data=st.data(),
    )
    def anybody_tries(self, who: str, which: int, verb: Verb, words: str, data: st.DataObject) -> None:
        """Somebody says something of some matter: what he may not do he cannot do."""
        self.attempt(which, who, verb, self.drawn(data, self.pick(which), words))

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
            self.attempt(which, who, verb, self.drawn(data, appeal, "说明"))
            self.now += timedelta(hours=data.draw(st.sampled_from([0, 0, 1, 20]), label="hours"))

    def drawn(self, data: st.DataObject, appeal: Appeal, words: str) -> Details:
        """Whatever a step may need: dates mostly to come, parts mostly of this appeal, a unit now and then."""
        days = data.draw(st.sampled_from([1, 3, 3, 20, 90, None, -1, 200]), label="days")
        part = data.draw(st.integers(0, len(appeal.parts) + 1), label="part") or None
        unit = data.draw(st.sampled_from([None, 0, 1]), label="unit")
        owner = data.draw(st.sampled_from(("吴纪",) if appeal.sealed else HANDLERS), label="owner")
        return Details(
            text=words,
            handler_id=self.park.ids[owner],
            department_id=None if unit is None else self.park.units[unit],
            category="land",
            difficulty=data.draw(st.sampled_from(Difficulty), label="difficulty"),
            merged_into="99",
            until=None if days is None else self.now + timedelta(days=days),
            span=Span(data.draw(st.sampled_from([1, 2, 5, 10, 20, 21, 0]), label="span"), Unit.WORKING_DAYS),
            part=part,
            unit=data.draw(st.sampled_from(UNITS), label="named"),
            title="出具意见",
            instead_of=data.draw(st.sampled_from([appeal.handler_id, appeal.liaison_id, None]), label="instead of"),
            facts={"part": part, "wish": "extend"},
        )

    @rule(
        which=st.integers(0, 3),
        verb=st.sampled_from(sorted(HELD_BACK)),
        seconds=st.sampled_from([0, 1, 59, 60, 3600]),
    )
    def a_handler_slips(self, which: int, verb: Verb, seconds: int) -> None:
        """He says something wrong and takes it back: within a minute it is as if it had not been."""
        before = self.pick(which)
        who = next((name for name, person in self.park.ids.items() if person == before.handler_id), None)
        if who is None:
            who = "周协"  # what nobody has yet a coordinator may answer at intake
        self.attempt(which, who, verb, Details(text="说错了"))
        slipped = self.pick(which)
        if slipped.version == before.version:
            return
        said_at = self.now
        self.now += timedelta(seconds=seconds)
        done = self.do(lambda tx: history.done_before(tx, slipped.id or 0, slipped.version))
        slip = Slip(
            verb,
            self.park.ids[who],
            said_at,
            before.status,
            progress_at=done["progress"][1] if "progress" in done else None,
            acknowledged_at=done["acknowledge"][0] if "acknowledge" in done else None,
            contacted_at=done["contacted"][0] if "contacted" in done else None,
        )
        self.attempt(which, who, Verb.TAKE_BACK, Details(slip=slip, facts={"undone": verb.value}))
        after = self.pick(which)
        if seconds >= 60:
            assert after == slipped
        else:
            assert _but_for_asking_anew(after) == _but_for_asking_anew(before)

    @rule(which=st.integers(0, 3), days=st.integers(1, 25), hours=st.sampled_from([0, 3, 30]), late=st.booleans())
    def work_is_put_off_and_taken_up_again(self, which: int, days: int, hours: int, late: bool) -> None:
        """A hold ends by itself, or by hand before its end."""
        until = self.now + timedelta(days=days)
        self.attempt(which, "周协", Verb.SUSPEND, Details(text="等批复", until=until))
        self.now += timedelta(days=days, hours=hours) if late else timedelta(hours=hours)
        if late:
            self.the_clock_looks()
            assert self.pick(which).status is not Status.SUSPENDED
        else:
            self.attempt(which, "周协", Verb.RESUME, Details(text="批了"))

    @rule(which=st.integers(0, 3), days=st.sampled_from([1, 5, 10, 20]), hard=st.sampled_from([None, 4, 40]))
    def a_date_is_moved(self, which: int, days: int, hard: int | None) -> None:
        """An extension, and a date set by others."""
        if hard is not None:
            until = self.now + timedelta(days=hard)
            self.attempt(which, "周协", Verb.HARD_DATE, Details(text="上级要求", until=until))
        self.attempt(which, "周协", Verb.EXTEND, Details(text="等配件", span=Span(days, Unit.WORKING_DAYS)))

    @rule(
        which=st.integers(0, 3),
        units=st.lists(st.sampled_from(UNITS), min_size=1, max_size=3),
        endings=st.lists(st.sampled_from([Verb.PART_DONE, Verb.WAIVE, None]), min_size=3, max_size=3),
    )
    def others_work_along(self, which: int, units: list[str], endings: list[Verb | None]) -> None:
        """Shares are given, and the lead tries to finish whatever became of them."""
        if self.pick(which).sealed:
            return
        for unit in units:
            given = Details(text="出意见", title="出意见", unit=unit, handler_id=self.park.ids["王敏"])
            self.attempt(which, "周协", Verb.ASSIST, given)
        for part, ending in zip(self.pick(which).open_parts, endings, strict=False):
            if ending is not None:
                self.attempt(which, "周协", ending, Details(text="说明", part=part.n, facts={"part": part.n}))
        self.attempt(which, "李强", Verb.RESOLVE, Details(text="办妥"))

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
                if appeal.status is Status.SUSPENDED:
                    appeal = await self.hold_ends(tx, appeal)
                else:
                    assert ladder.reached(appeal, RULES, self.now)
                self.looked_at |= {_named(appeal, due) for due in ladder.reached(appeal, RULES, self.now)}
                await appeals.look_again(tx, appeal, ladder.next_due(appeal, RULES, self.now))
            assert not await appeals.due(tx, self.now)

        self.do(unit)
        self.known = self.do(self.stored)

    async def hold_ends(self, tx: Tx, appeal: Appeal) -> Appeal:
        """A suspension that is over ends at its own moment, however late the clock comes round."""
        assert appeal.suspended_until is not None
        assert appeal.suspended_until <= self.now
        change = take(appeal, Verb.RESUME, by=None, at=appeal.suspended_until, rules=RULES)
        return await self.record(tx, change)

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
        assert await standing.persons(tx, notice.listener, after, self.now, change.before, notice.part), notice

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
                sooner = known.category == "land" or known.difficulty is Difficulty.EASY or known.dates.hard is not None
                assert known.due >= first_due or sooner

    @invariant()
    def silence_is_never_satisfaction(self) -> None:
        for known in self.known:
            assert (known.satisfaction in POSITIVE) == (known.status is Status.CLOSED)

    @invariant()
    def the_clock_has_something_to_say_only_while_something_is_waited_for(self) -> None:
        for known in self.known:
            if known.status in SETTLED:
                assert known.next_due is None
                assert known.running == ()
            if known.status is Status.SUSPENDED:
                assert known.next_due == known.suspended_until
                assert known.running == ()
            if known.status is Status.LONG_TERM:
                assert {running.clock for running in known.running} <= {Clock.MILESTONE, Clock.ORDER}
            assert (known.settled_at is not None) == (known.status in SETTLED)

    @invariant()
    def no_rung_is_forgotten(self) -> None:
        """Whatever is reached has been looked at, or is looked at when the clock comes round."""
        for known in self.known:
            reached = ladder.reached(known, RULES, self.now)
            if any(_named(known, due) not in self.looked_at for due in reached):
                assert known.next_due is not None
                assert known.next_due <= self.now

    @invariant()
    def every_date_is_what_it_is_counted_from(self) -> None:
        for known in self.known:
            work = known.dates.work.deadline(CALENDAR)
            assert known.due == (min(work, known.dates.hard) if known.dates.hard else work)
            assert known.dispatch_due == known.dates.dispatch.deadline(CALENDAR)
            assert known.acknowledge_due == known.dates.acknowledge.deadline(CALENDAR)
            for part in known.parts:
                assert part.due == part.reckoned.deadline(CALENDAR)

    @invariant()
    def the_log_alone_gives_the_date(self) -> None:
        for known in self.known:
            lines = self.do(partial(history.of_appeal, appeal_id=known.id or 0))
            assert _Fold(known.kind).of(lines) == known.due

    @invariant()
    def nothing_is_done_while_a_share_of_it_is_open(self) -> None:
        for known in self.known:
            if known.status in (Status.RESOLVED, Status.UNRATED, Status.CLOSED):
                assert not any(part.kind is PartKind.SHARE for part in known.open_parts)


class _Fold:
    """The date of an appeal, told from its log and nothing else.

    Terms are counted anew; a date that others set is taken as the log has it, and from there on only what moved.
    """

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.due = self.start = self.held = START
        self.spans: tuple[Span, ...] = ()
        self.moves: list[int | tuple[datetime, datetime]] = []
        self.category, self.difficulty, self.reworks = "", Difficulty.NORMAL, 0
        self.set_by_others = False

    def of(self, lines: Sequence[Row]) -> datetime:
        for line in lines:
            facts = from_facts(from_json(line["facts"]))
            if "due_before" in facts:
                assert facts["due_before"] == self.due, "the log tells of another date before"
            was = self.due
            self.due = facts.get("due", self.due)  # type: ignore[assignment]  # a fact of that name is a moment
            self.heed(Verb(line["name"]), from_ms(line["at"]), facts, was)
            if not self.set_by_others:
                assert self.counted() == self.due, line["name"]
        return self.due

    def heed(self, verb: Verb, at: datetime, facts: Mapping[str, Fact], was: datetime) -> None:
        self.category = str(facts.get("category", self.category))
        self.difficulty = Difficulty(str(facts.get("difficulty", self.difficulty)))
        if verb is Verb.FILE:
            self.start = at
        if verb in (Verb.FILE, Verb.RECATEGORISE, Verb.DIFFICULTY) and not self.reworks:
            self.spans = (RULES.term(self.kind, self.category, self.difficulty),)
        elif verb in (Verb.DISSATISFIED, Verb.REWORK):
            term = RULES.term(self.kind, self.category, self.difficulty)
            self.start, self.spans, self.moves = at, RULES.rework_spans(term), []
            self.reworks, self.set_by_others = self.reworks + 1, False
        elif verb is Verb.EXTEND:
            days = CALENDAR.working_days_between(CALENDAR.local(was).date(), CALENDAR.local(self.due).date())
            self.moves.append(days)
        elif verb in (Verb.SUSPEND, Verb.AGREE):
            self.held = at
        elif verb is Verb.RESUME:
            self.moves.append((self.held, at))
        elif verb is Verb.HARD_DATE:
            self.set_by_others = True

    def counted(self) -> datetime:
        due = max(CALENDAR.add(self.start, span) for span in self.spans)
        for move in self.moves:
            if isinstance(move, int):
                due = CALENDAR.add(due, Span(move, Unit.WORKING_DAYS))
            elif lost := int(CALENDAR.worked(*move).total_seconds()):
                due = CALENDAR.add(due, Span(lost, Unit.WORKING_HOURS))
        return due


def _named(appeal: Appeal, due: ladder.Due) -> tuple[str, str, int, str]:
    """A rung by its name for ever."""
    return appeal.number, due.running.name, due.running.round, due.rung.label


def _but_for_asking_anew(appeal: Appeal) -> Appeal:
    """An appeal but for its version, when the clock looks, and what a resolution asks of the firm anew."""
    return replace(appeal, version=0, next_due=None, solution=None, calls=0, resolution=None)


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
    assert after.next_due is None or after.next_due >= change.at or after.status is Status.SUSPENDED
    if before.next_due is not None and before.next_due <= change.at and ladder.reached(after, RULES, change.at):
        assert after.next_due == change.at, "a rung that nobody has looked at is forgotten"
    assert not (after.ruled and change.verb is Verb.RETURN)
    assert after.returns <= 2
    if change.verb in FINISHES:
        assert not any(part.kind is PartKind.SHARE for part in before.open_parts)
    if change.verb is Verb.ASSIST and change.at < before.due:
        assert change.at < after.parts[-1].due < after.due
    if change.verb is Verb.EXTEND:
        _keeps_to_the_rules(before, after, change.at)


def _keeps_to_the_rules(before: Appeal, after: Appeal, at: datetime) -> None:
    """An extension: asked for in time, not once too often, not beyond the most but for the time on hold."""
    assert before.status in WORKING
    assert before.extensions < (2 if before.difficulty is Difficulty.HARD else 1)
    assert at <= CALENDAR.offset(before.due, Span(-1, Unit.WORKING_DAYS))
    work = after.dates.work
    held = sum(int(CALENDAR.worked(pause.start, pause.end).total_seconds()) for pause in work.pauses())
    most = Reckoning(work.start, (RULES.terms.extension_total,)).deadline(CALENDAR)
    limit = CALENDAR.add(most, Span(held, Unit.WORKING_HOURS)) if held else most
    assert CALENDAR.local(after.due).date() <= CALENDAR.local(limit).date()
    assert after.dates.hard is None or after.due <= after.dates.hard


LifeOfAPark.TestCase.settings = settings(
    max_examples=1000 if full() else 60,
    stateful_step_count=50 if full() else 25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
TestLifeOfAPark = LifeOfAPark.TestCase


def test_what_an_instant_answer_did_is_kept_when_a_later_slip_is_taken_back() -> None:
    """即办 takes a matter on and talks it over; a slip in the rework that follows must not undo that."""
    park = LifeOfAPark()
    try:
        park.a_first_matter()
        park.the_rules_dispatch(which=0)
        park.attempt(0, "王敏", Verb.INSTANT, Details(text="已现场办好"))
        park.now += timedelta(hours=1)
        park.attempt(0, "张建国", Verb.DISSATISFIED, Details(text="又坏了"))
        assert park.pick(0).status is Status.REWORK
        park.a_handler_slips(which=0, verb=Verb.RESOLVE, seconds=1)
        assert park.pick(0).acknowledged_at == START
    finally:
        park.teardown()
