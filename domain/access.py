"""may(): the one table of who may do what with an appeal; whatever does not stand here is denied."""

from collections.abc import Collection, Mapping
from enum import StrEnum

from domain.appeal import Appeal, Status
from domain.lifecycle import open_to
from domain.people import OFFICE, Enterprise, Person, Role
from domain.verbs import Verb


class Relation(StrEnum):
    """How a person stands to one appeal; somebody may stand in several."""

    FIRM = "firm"
    HANDLER = "handler"
    LIAISON = "liaison"
    HEAD = "head"
    CHIEF = "chief"
    COORDINATOR = "coordinator"
    INSPECTOR = "inspector"
    CO_HANDLER = "co_handler"


_FIRM = frozenset({Relation.FIRM})
_HANDLER = frozenset({Relation.HANDLER})
_OFFICE = frozenset(
    {
        Relation.HANDLER,
        Relation.LIAISON,
        Relation.HEAD,
        Relation.CHIEF,
        Relation.COORDINATOR,
        Relation.INSPECTOR,
        Relation.CO_HANDLER,
    }
)
_ALL = _OFFICE | _FIRM
_COORDINATOR = frozenset({Relation.COORDINATOR})
_INSPECTOR = frozenset({Relation.INSPECTOR})
_ASKED_OR_DONE = _HANDLER | _COORDINATOR
"""What a handler asks for and a coordinator does at once."""
_CO_HANDLER = frozenset({Relation.CO_HANDLER})
_LEADERS = frozenset({Relation.CHIEF, Relation.COORDINATOR})
_KEEPS_SECRETS = frozenset({Relation.INSPECTOR, Relation.HANDLER})

WITH_APPEAL: Mapping[Verb, frozenset[Relation]] = {
    Verb.SUPPLEMENT: _FIRM | {Relation.LIAISON},
    Verb.WITHDRAW: _FIRM,
    Verb.UNDO: _FIRM,
    Verb.URGE: _FIRM,
    Verb.URGENT: _FIRM,
    Verb.SATISFIED: _FIRM,
    Verb.FAIRLY_SATISFIED: _FIRM,
    Verb.DISSATISFIED: _FIRM,
    Verb.SOLVED: _FIRM,
    Verb.PARTLY_SOLVED: _FIRM,
    Verb.UNSOLVED: _FIRM,
    Verb.OBJECT: _FIRM,
    Verb.STATUS: _ALL,
    Verb.TRACE: _ALL,
    Verb.ACKNOWLEDGE: _HANDLER,
    Verb.CONTACTED: _HANDLER | {Relation.LIAISON},
    Verb.RETURN: _HANDLER,
    Verb.PROGRESS: _HANDLER | {Relation.LIAISON},
    Verb.NOTE: _OFFICE,
    Verb.TRANSFER: _HANDLER,
    Verb.REQUEST: _HANDLER,
    Verb.RESOLVE: _HANDLER,
    Verb.EXPLAIN: _HANDLER,
    Verb.INSTANT: _ASKED_OR_DONE,
    Verb.TAKE_BACK: _HANDLER,
    Verb.EXTEND: _ASKED_OR_DONE,
    Verb.SUSPEND: _ASKED_OR_DONE,
    Verb.LONG_TERM: _ASKED_OR_DONE,
    Verb.AGREE: _FIRM,
    Verb.DISAGREE: _FIRM,
    Verb.MILESTONE: _ASKED_OR_DONE,
    Verb.MILESTONE_DONE: _HANDLER,
    Verb.HARD_DATE: _ASKED_OR_DONE | {Relation.LIAISON},
    Verb.BEYOND: _HANDLER,
    Verb.REFER: _ASKED_OR_DONE,
    Verb.READ: _LEADERS | _INSPECTOR,
    Verb.ASSIST: _ASKED_OR_DONE,
    Verb.PART_ACKNOWLEDGE: _CO_HANDLER,
    Verb.PART_PROGRESS: _CO_HANDLER | _COORDINATOR,
    Verb.PART_DONE: _CO_HANDLER | _COORDINATOR,
    Verb.PART_RETURN: _CO_HANDLER,
    Verb.WAIVE: _COORDINATOR,
    Verb.PROXY: _COORDINATOR,
    Verb.SLIP: _COORDINATOR,
    Verb.DISPATCH: _COORDINATOR,
    Verb.RULE: _COORDINATOR,
    Verb.APPROVE: _COORDINATOR,
    Verb.DENY: _COORDINATOR,
    Verb.RELEASE: _COORDINATOR,
    Verb.DECLINE: _COORDINATOR,
    Verb.RECATEGORISE: _COORDINATOR,
    Verb.DIFFICULTY: _ASKED_OR_DONE,
    Verb.MERGE: _COORDINATOR,
    Verb.UNMERGE: _COORDINATOR,
    Verb.RESUME: _ASKED_OR_DONE,
    Verb.SUPERVISE: _LEADERS,
    Verb.FOLLOW_UP: _COORDINATOR,
    Verb.HAND_OVER: _COORDINATOR,
    Verb.REWORK: _INSPECTOR,
    Verb.INSTRUCT: _LEADERS | _INSPECTOR,
    Verb.CLOSE_DISPUTED: _INSPECTOR,
}

TWINS: Mapping[Verb, Verb] = {
    Verb.ACKNOWLEDGE: Verb.PART_ACKNOWLEDGE,
    Verb.PROGRESS: Verb.PART_PROGRESS,
    Verb.RESOLVE: Verb.PART_DONE,
    Verb.RETURN: Verb.PART_RETURN,
}
"""What a handler's word means where it is said by somebody who works on a part only."""

_ANYBODY = frozenset(Role)
_CONTACT = frozenset({Role.CONTACT})
_COORDINATORS = frozenset({Role.COORDINATOR})

WITHOUT_APPEAL: Mapping[Verb, frozenset[Role]] = {
    Verb.APPEAL: _CONTACT,
    Verb.INQUIRE: _CONTACT,
    Verb.COMPLAIN: _CONTACT,
    Verb.SUGGEST: _CONTACT,
    Verb.FILE: _CONTACT,
    Verb.RECORD: frozenset({Role.LIAISON, Role.COORDINATOR}),
    Verb.MINE: _ANYBODY,
    Verb.TODO: _ANYBODY,
    Verb.HELP: _ANYBODY,
    Verb.CANCEL: _ANYBODY,
    Verb.CONFIRM: _ANYBODY,
    Verb.BIND: _ANYBODY,
    Verb.LANGUAGE: _ANYBODY,
    Verb.POLICY: _ANYBODY,
    Verb.PUBLISH: _COORDINATORS,
    Verb.RESEND: _COORDINATORS,
    Verb.UNDELIVERED: _COORDINATORS | {Role.INSPECTOR},
    Verb.KNOWN: _ANYBODY,
    Verb.UNCLEAR: _CONTACT,
    Verb.OUT_OF_REACH: _CONTACT,
    Verb.WANT: _CONTACT,
    Verb.ORIGINAL: _ANYBODY,
    Verb.LEAVE: OFFICE,
    Verb.STAND_IN: _COORDINATORS,
    Verb.DUTY: OFFICE,
    Verb.DIGEST: frozenset({Role.COORDINATOR, Role.LIAISON, Role.HANDLER, Role.HEAD, Role.CHIEF}),
    Verb.LEDGER: _COORDINATORS,
    Verb.UNLINKED: _COORDINATORS,
    Verb.CLOSURE: _COORDINATORS,
    Verb.APPROVE_GROUP: _COORDINATORS,
    Verb.CONFIRM_BINDING: frozenset({Role.LIAISON, Role.COORDINATOR}),
}


def relations(
    person: Person, appeal: Appeal, enterprise: Enterprise, heads: Collection[int] = ()
) -> frozenset[Relation]:
    """How `person` stands to the appeal of `enterprise`; `heads` are the departments that he heads or stands in for.

    A contact stands to every matter of his firm. Who stands in for somebody on leave stands to a matter as that one
    does; a firm's deputy counts as its liaison at all times, as the roster names both. Nobody who stands on the
    park's side of a matter counts as its firm: a cadre can never give the firm's answer. A sealed matter exists only
    for its reporter and for the inspector, who may handle it.
    """
    park = _of_the_park(person, appeal, enterprise, heads)
    if appeal.sealed:
        park = park & _KEEPS_SECRETS if Relation.INSPECTOR in park else frozenset()
        return park or (_FIRM if person.id == appeal.contact_id else frozenset())
    speaks = person.has(Role.CONTACT) and appeal.enterprise_id in person.enterprise_ids
    return park or (_FIRM if speaks else frozenset())


def _of_the_park(
    person: Person, appeal: Appeal, enterprise: Enterprise, heads: Collection[int]
) -> frozenset[Relation]:
    acts_for = person.acts_for(enterprise)
    units = {appeal.department_id, *(part.department_id for part in appeal.parts)} - {None}
    holds = {
        Relation.HANDLER: appeal.handler_id in acts_for,
        Relation.LIAISON: not acts_for.isdisjoint((appeal.liaison_id, enterprise.liaison_id, enterprise.deputy_id)),
        Relation.HEAD: not units.isdisjoint(heads),
        Relation.CHIEF: enterprise.chief_id in acts_for,
        Relation.COORDINATOR: person.has(Role.COORDINATOR),
        Relation.INSPECTOR: person.has(Role.INSPECTOR),
        Relation.CO_HANDLER: any(part.handler_id in acts_for for part in appeal.parts),
    }
    return frozenset(relation for relation, true in holds.items() if true)


def may(verb: Verb, held: frozenset[Relation], status: Status | None = None) -> bool:
    """Whether somebody who stands so to an appeal may do this, in this status if one is given."""
    if held.isdisjoint(WITH_APPEAL.get(verb, frozenset())):
        return False
    statuses = open_to(verb)
    return status is None or not statuses or status in statuses


def may_ask(verb: Verb, person: Person) -> bool:
    """Whether somebody with these roles may use a command that concerns no particular appeal."""
    return person.has(*WITHOUT_APPEAL.get(verb, frozenset()))
