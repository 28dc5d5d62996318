"""Who may do what: the whole table of relations, verbs and statuses, and the same eyes in the database."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import chain, combinations, product
from typing import Any

import pytest

from domain.access import TWINS, WITH_APPEAL, WITHOUT_APPEAL, Relation, may, may_ask, relations
from domain.appeal import Appeal, Status
from domain.deadlines import fixed
from domain.lifecycle import open_to, submit
from domain.parts import Outcome, Part, PartKind
from domain.people import Enterprise, Person, Role
from domain.verbs import Verb
from storage import appeals, parts, people
from storage.database import Tx
from storage.open import open_database
from storage.scope import SYSTEM, scope_of
from tests.making import civil, drafted, make_department, make_enterprise, make_person, make_rules

RULES = make_rules()
APPEAL = replace(submit(drafted(), by=None, at=civil("2026-03-09 10:00"), rules=RULES).after, id=1)
FIRM = Enterprise(1, "宏达机械有限公司", "宏达机械", liaison_id=2, deputy_id=3, chief_id=4)
VERDICTS = frozenset(
    {Verb.SATISFIED, Verb.FAIRLY_SATISFIED, Verb.DISSATISFIED, Verb.SOLVED, Verb.PARTLY_SOLVED, Verb.UNSOLVED}
)
LOOKS = frozenset({Verb.STATUS, Verb.TRACE})

# Written down once more, by who stands how: what does not stand here is denied.
_ASKS_FOR = {  # a coordinator who asks does it at once
    Verb.EXTEND,
    Verb.SUSPEND,
    Verb.RESUME,
    Verb.LONG_TERM,
    Verb.MILESTONE,
    Verb.HARD_DATE,
    Verb.DIFFICULTY,
    Verb.ASSIST,
    Verb.REFER,
    Verb.INSTANT,  # 即办 at intake is the coordinator's
}
MAY: Mapping[Relation, frozenset[Verb]] = {
    Relation.FIRM: VERDICTS
    | LOOKS
    | {Verb.SUPPLEMENT, Verb.WITHDRAW, Verb.UNDO, Verb.URGE, Verb.URGENT, Verb.OBJECT}
    | {Verb.AGREE, Verb.DISAGREE},
    Relation.HANDLER: LOOKS
    | {Verb.ACKNOWLEDGE, Verb.CONTACTED, Verb.RETURN, Verb.PROGRESS, Verb.NOTE, Verb.TRANSFER, Verb.REQUEST}
    | {Verb.RESOLVE, Verb.EXPLAIN, Verb.TAKE_BACK}
    | {Verb.BEYOND, Verb.MILESTONE_DONE}
    | _ASKS_FOR,
    Relation.LIAISON: LOOKS | {Verb.SUPPLEMENT, Verb.CONTACTED, Verb.PROGRESS, Verb.NOTE, Verb.HARD_DATE},
    Relation.HEAD: LOOKS | {Verb.NOTE},
    Relation.CHIEF: LOOKS | {Verb.NOTE, Verb.SUPERVISE, Verb.INSTRUCT, Verb.READ},
    Relation.COORDINATOR: LOOKS
    | {Verb.NOTE, Verb.DISPATCH, Verb.RULE, Verb.APPROVE, Verb.DENY, Verb.DECLINE, Verb.RECATEGORISE}
    | {Verb.MERGE, Verb.UNMERGE, Verb.FOLLOW_UP, Verb.RELEASE, Verb.HAND_OVER}
    | {Verb.SUPERVISE, Verb.INSTRUCT, Verb.READ}
    | {Verb.PART_PROGRESS, Verb.PART_DONE, Verb.WAIVE, Verb.PROXY, Verb.SLIP}
    | _ASKS_FOR,
    Relation.INSPECTOR: LOOKS | {Verb.NOTE, Verb.REWORK, Verb.INSTRUCT, Verb.READ, Verb.CLOSE_DISPUTED},
    Relation.CO_HANDLER: LOOKS
    | {Verb.NOTE, Verb.PART_ACKNOWLEDGE, Verb.PART_PROGRESS, Verb.PART_DONE, Verb.PART_RETURN},
}
# 协办 says a handler's own words, and they mean his part: of the whole he takes no step.
OF_THE_WHOLE = {Verb.ACKNOWLEDGE: Verb.PART_ACKNOWLEDGE, Verb.PROGRESS: Verb.PART_PROGRESS}
OF_THE_WHOLE |= {Verb.RESOLVE: Verb.PART_DONE, Verb.RETURN: Verb.PART_RETURN}
FOR_COORDINATORS = (Verb.PUBLISH, Verb.RESEND, Verb.LEDGER, Verb.UNLINKED, Verb.APPROVE_GROUP, Verb.CLOSURE)


def subsets(items: Any) -> chain[Any]:
    things = tuple(items)
    return chain.from_iterable(combinations(things, size) for size in range(len(things) + 1))


@pytest.mark.parametrize("status", [None, *Status])
def test_each_relation_may_do_what_stands_in_the_table_and_nothing_else(status: Status | None) -> None:
    for relation, verb in product(Relation, Verb):
        fits = status is None or not open_to(verb) or status in open_to(verb)
        assert may(verb, frozenset({relation}), status) == (verb in MAY[relation] and fits), (relation, verb)


def test_somebody_who_stands_in_several_relations_may_do_what_one_of_them_may() -> None:
    for several, verb in product(subsets(Relation), Verb):
        held = frozenset(several)
        assert may(verb, held) == any(verb in MAY[relation] for relation in held)


def test_a_stranger_may_do_nothing() -> None:
    assert not any(may(verb, frozenset(), status) for verb, status in product(Verb, (None, *Status)))
    assert not any(may_ask(verb, Person(1, "路人")) for verb in Verb)


def test_every_step_of_the_life_cycle_has_somebody_who_may_take_it() -> None:
    by_itself = {Verb.RECOUNT}  # another calendar moves dates; no person does
    assert {verb for verb in Verb if open_to(verb)} - WITH_APPEAL.keys() == by_itself


def test_a_handlers_word_means_his_part_where_he_has_no_more_than_a_part() -> None:
    assert TWINS == OF_THE_WHOLE
    for whole, own in OF_THE_WHOLE.items():
        assert not may(whole, frozenset({Relation.CO_HANDLER}))
        assert may(own, frozenset({Relation.CO_HANDLER}))


def test_what_needs_an_appeal_is_not_also_asked_without_one() -> None:
    assert not WITH_APPEAL.keys() & WITHOUT_APPEAL.keys()


@pytest.mark.parametrize("role", Role)
def test_only_contacts_raise_matters_and_only_coordinators_publish(role: Role) -> None:
    person = Person(1, "某", frozenset({role}))
    raised = (Verb.APPEAL, Verb.INQUIRE, Verb.COMPLAIN, Verb.SUGGEST)
    assert [may_ask(verb, person) for verb in raised] == [role is Role.CONTACT] * len(raised)
    assert [may_ask(verb, person) for verb in FOR_COORDINATORS] == [role is Role.COORDINATOR] * len(FOR_COORDINATORS)


@pytest.mark.parametrize("verb", [verb for verb in Verb if verb not in WITHOUT_APPEAL])
def test_no_role_alone_opens_what_belongs_to_an_appeal(verb: Verb) -> None:
    assert not may_ask(verb, Person(1, "某", frozenset(Role)))


# How people stand ---------------------------------------------------------------------------------------------------
SHARE = Part(1, PartKind.SHARE, "出意见", "建设局", 71, 8, APPEAL.due, fixed(APPEAL.due), APPEAL.due)
CADRES: Mapping[str, tuple[Mapping[str, Any], Relation]] = {
    "the handler": ({"handler_id": 9}, Relation.HANDLER),
    "the liaison at intake": ({"liaison_id": 9}, Relation.LIAISON),
    "the firm's liaison": ({}, Relation.LIAISON),
    "the liaison's deputy": ({}, Relation.LIAISON),
    "the chief": ({}, Relation.CHIEF),
    "the head of the department": ({"department_id": 70}, Relation.HEAD),
    "a coordinator": ({}, Relation.COORDINATOR),
    "the inspector": ({}, Relation.INSPECTOR),
    "who works on a part": ({"parts": (replace(SHARE, handler_id=9),)}, Relation.CO_HANDLER),
    "who worked on a part": ({"parts": (replace(SHARE, handler_id=9, outcome=Outcome.DONE),)}, Relation.CO_HANDLER),
    "the head of a part's department": ({"parts": (replace(SHARE, department_id=70),)}, Relation.HEAD),
}
FIRMS: Mapping[str, Mapping[str, Any]] = {
    "the firm's liaison": {"liaison_id": 9},
    "the liaison's deputy": {"deputy_id": 9},
    "the chief": {"chief_id": 9},
}
ROLES = {"a coordinator": Role.COORDINATOR, "the inspector": Role.INSPECTOR}


def stands(who: str, *, contact: bool = False, sealed: bool = False, reporter: bool = False) -> frozenset[Relation]:
    changes: dict[str, Any] = {**CADRES[who][0], "sealed": sealed}
    if reporter:
        changes["contact_id"] = 9
    roles = {ROLES[who]} if who in ROLES else set()
    firms = frozenset({1} if contact else ())
    person = Person(9, "某", frozenset(roles | ({Role.CONTACT} if contact else set())), enterprise_ids=firms)
    firm = replace(FIRM, **FIRMS.get(who, {}))
    return relations(person, replace(APPEAL, **changes), firm, {70} if "head" in who else ())


@pytest.mark.parametrize("who", CADRES)
def test_who_works_for_the_park_stands_by_his_part(who: str) -> None:
    assert stands(who) == {CADRES[who][1]}


@pytest.mark.parametrize("who", CADRES)
@pytest.mark.parametrize("status", Status)
def test_no_cadre_gives_the_firms_answer_even_if_he_is_its_contact(who: str, status: Status) -> None:
    held = stands(who, contact=True)
    assert Relation.FIRM not in held
    assert not any(may(verb, held, status) for verb in VERDICTS)


@pytest.mark.parametrize("who", CADRES)
def test_a_sealed_matter_exists_for_no_cadre_but_the_inspector(who: str) -> None:
    held = stands(who, contact=True, sealed=True)
    assert held == ({Relation.INSPECTOR} if who == "the inspector" else frozenset())


@pytest.mark.parametrize("who", [who for who in CADRES if who != "the inspector"])
def test_a_sealed_matter_exists_for_its_reporter_whoever_he_is(who: str) -> None:
    assert stands(who, sealed=True, reporter=True) == {Relation.FIRM}


def test_an_inspector_handles_what_is_sealed() -> None:
    inspector = Person(9, "纪检", frozenset({Role.INSPECTOR}))
    held = relations(inspector, replace(APPEAL, sealed=True, handler_id=9), FIRM)
    assert held == {Relation.INSPECTOR, Relation.HANDLER}


def test_a_colleague_of_the_reporter_knows_nothing_of_what_is_sealed() -> None:
    colleague = Person(9, "同事", frozenset({Role.CONTACT}), enterprise_ids=frozenset({1}))
    assert relations(colleague, APPEAL, FIRM) == {Relation.FIRM}
    assert relations(colleague, replace(APPEAL, sealed=True), FIRM) == frozenset()


@pytest.mark.parametrize(
    "person",
    [
        Person(9, "别家联系人", frozenset({Role.CONTACT}), enterprise_ids=frozenset({2})),
        Person(9, "不再是联系人", frozenset(), enterprise_ids=frozenset({1})),
        Person(9, "别家挂钩干部", frozenset({Role.LIAISON, Role.HANDLER, Role.HEAD, Role.CHIEF})),
        Person(9, "监测员", frozenset({Role.MONITOR, Role.EXPERT, Role.BANK})),
    ],
    ids=lambda person: person.name,
)
def test_people_of_other_firms_and_units_stand_in_no_relation(person: Person) -> None:
    assert relations(person, APPEAL, FIRM, {71}) == frozenset()


# The same eyes in the database --------------------------------------------------------------------------------------
LINKS = ("contacts", "handler", "liaison", "firm_liaison", "deputy", "chief", "head", "reporter")
SEEN_BY_ROLE = (Role.CONTACT, Role.COORDINATOR, Role.INSPECTOR)
PART_LINKS = ("co_handler", "part_head", "part_ended", "contacts", "head")
KNOWN_BY = [
    (frozenset(roles), frozenset(links), sealed)
    for several in (LINKS, PART_LINKS)
    for roles, links, sealed in product(subsets(SEEN_BY_ROLE), subsets(several), (False, True))
]


async def _case(tx: Tx, number: int, roles: frozenset[Role], links: frozenset[str], sealed: bool) -> tuple[int, Appeal]:
    """A person who is linked so to an appeal of a firm of its own."""
    person = await make_person(tx, f"人{number}", *roles, chat=False)
    mine = {"liaison_id": "firm_liaison", "deputy_id": "deputy", "chief_id": "chief"}
    columns = {column: person for column, link in mine.items() if link in links}
    firm = await make_enterprise(tx, f"企业{number}", *([person] if "contacts" in links else []), **columns)
    head = person if "head" in links else None
    other_head = person if "part_head" in links and head is None else None  # nobody heads two departments
    share = replace(
        SHARE,
        handler_id=person if "co_handler" in links else None,
        outcome=Outcome.DONE if "part_ended" in links else None,
        department_id=await make_department(tx, f"配合{number}", f"c{number}", head_id=other_head),
    )
    unit = await make_department(tx, f"部门{number}", f"u{number}", head_id=head)
    made = submit(
        drafted(number=str(number), enterprise_id=firm, sealed=sealed), by=None, at=APPEAL.received_at, rules=RULES
    )
    appeal = replace(
        made.after,
        contact_id=person if "reporter" in links else None,
        liaison_id=person if "liaison" in links else None,
        handler_id=person if "handler" in links else None,
        department_id=unit,
        parts=(share,) if links & {"co_handler", "part_head"} else (),
    )
    row = await tx.one(appeals._INSERT, appeals._row(appeal))
    assert row is not None
    await parts.store(tx, row["id"], None, appeal)
    return person, replace(appeal, id=row["id"])


async def _sees(tx: Tx, person_id: int, appeal: Appeal) -> tuple[bool, list[bool]]:
    """Whether he stands in a relation, and what each way of reading shows him."""
    person = await people.person(tx, person_id, APPEAL.received_at)
    assert person is not None
    firm = await people.enterprise(tx, appeal.enterprise_id)
    head_of = await people.headed_by(tx, person)
    scope = scope_of(person, head_of)
    shown = [
        await appeals.get(tx, appeal.number, scope) is not None,
        await appeals.by_id(tx, appeal.id or 0, scope) is not None,
    ]
    return bool(relations(person, appeal, firm, head_of)), shown


async def test_the_database_shows_an_appeal_exactly_to_those_who_stand_to_it() -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        for number, (roles, links, sealed) in enumerate(KNOWN_BY):
            person, appeal = await _case(tx, number, roles, links, sealed)
            stands_to, shown = await _sees(tx, person, appeal)
            assert shown == [stands_to, stands_to], (roles, links, sealed)
            assert await appeals.get(tx, appeal.number, SYSTEM) is not None

    await database.transaction(unit)
    await database.close()


async def test_a_list_shows_what_single_looks_show() -> None:
    database = await open_database("sqlite:///:memory:")

    async def unit(tx: Tx) -> None:
        cases = [await _case(tx, n, *case) for n, case in enumerate(KNOWN_BY[::67])]
        for person_id, _ in cases:
            person = await people.person(tx, person_id, APPEAL.received_at)
            assert person is not None
            scope = scope_of(person, await people.headed_by(tx, person))
            listed = {found.number for found in await appeals.visible(tx, scope, tuple(Status), most=1000)}
            single = {each.number for _, each in cases if (await _sees(tx, person_id, each))[1][0]}
            assert listed == single
            assert not await appeals.visible(tx, scope, ())
            held = {found.number for found in await appeals.held_by(tx, person_id, tuple(Status))}
            assert held <= single

    await database.transaction(unit)
    await database.close()
