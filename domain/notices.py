"""What a change means for others: who must hear of it, in which words, with which buttons. Storage finds the chats."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from domain.appeal import WORKING, Appeal, Change, Status
from domain.rules import Listener
from domain.said import Button, Fact, Said
from domain.verbs import Verb


class Lane(IntEnum):
    """Queues of one chat, the most urgent first; order holds within a lane."""

    REPLY = 0
    CASE = 1
    DIGEST = 2
    BROADCAST = 3


@dataclass(frozen=True, slots=True)
class Notice:
    """One message owed to one listener; the facts every message about an appeal has are added by storage."""

    listener: Listener
    key: str
    buttons: tuple[Verb, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)


TASK_BUTTONS = (Verb.ACKNOWLEDGE, Verb.CONTACTED, Verb.RETURN)
WORK_BUTTONS = (Verb.PROGRESS, Verb.RESOLVE, Verb.TRANSFER)
SURVEY_BUTTONS = (
    Verb.SOLVED,
    Verb.PARTLY_SOLVED,
    Verb.UNSOLVED,
    Verb.SATISFIED,
    Verb.FAIRLY_SATISFIED,
    Verb.DISSATISFIED,
)
TRIAGE_BUTTONS = (Verb.DISPATCH, Verb.RECATEGORISE)
_NEVER_OUTDATED = frozenset({Verb.SUPPLEMENT, Verb.URGE, Verb.STATUS, Verb.TRACE})


def notices(change: Change) -> tuple[Notice, ...]:
    """Everybody who must hear of the change besides the one who made it (he gets the reply)."""
    wanted = _BY_VERB.get(change.verb)
    return wanted(change) if wanted else ()


def _filed(change: Change) -> tuple[Notice, ...]:
    """Filing tells nobody yet: the dispatch or the triage that follows at once does; a 代录 is told to the firm."""
    if change.after.recorded_by is None:
        return ()
    return (Notice(Listener.CONTACT, "firm.recorded", (Verb.SUPPLEMENT, Verb.WITHDRAW)),)


def _dispatched(change: Change) -> tuple[Notice, ...]:
    before = change.before
    found = [Notice(Listener.HANDLER, "task.dispatched", TASK_BUTTONS)]
    moved = before is not None and before.handler_id not in (None, change.after.handler_id)
    if moved:
        found.append(Notice(Listener.PREVIOUS_HANDLER, "task.taken_over"))
    found.append(Notice(Listener.LIAISON, "task.informed"))
    if before is not None and (moved or before.status is Status.RETURNED or change.by is not None):
        found.append(Notice(Listener.CONTACT, "firm.dispatched"))
    return tuple(found)


def _handed_over(change: Change) -> tuple[Notice, ...]:
    """The firm hears who is in charge from now on; the two cadres hear of all their matters in one message."""
    moved = change.before is not None and change.before.handler_id != change.after.handler_id
    return (Notice(Listener.CONTACT, "firm.handed_over"),) if moved else ()


def _acknowledged(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.acknowledged"), Notice(Listener.ORIGIN_GROUP, "group.acknowledged"))


def _returned(change: Change) -> tuple[Notice, ...]:
    return (
        Notice(Listener.COORDINATOR, "triage.returned", (Verb.DISPATCH, Verb.RULE)),
        Notice(Listener.CONTACT, "firm.reassigning"),
    )


def _progressed(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.progress"),)


def _transfer_asked(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.COORDINATOR, "triage.transfer_asked", (Verb.APPROVE, Verb.DENY), change.facts),)


def _denied(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.denied", _holder_buttons(change.after)),)


def _resolved(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.survey", SURVEY_BUTTONS), Notice(Listener.LIAISON, "task.resolved_by_other"))


def _closed(change: Change) -> tuple[Notice, ...]:
    found = [
        Notice(Listener.HANDLER, "task.closed"),
        Notice(Listener.LIAISON, "task.closed"),
        Notice(Listener.ORIGIN_GROUP, "group.closed"),
    ]
    if change.facts.get("by_call"):
        found.append(Notice(Listener.CONTACT, "firm.closed_by_call", (Verb.DISSATISFIED,)))
    return tuple(found)


def _reworked(change: Change) -> tuple[Notice, ...]:
    decides = Notice(Listener.INSPECTOR, "watch.escalated", (Verb.INSTRUCT, Verb.CLOSE_DISPUTED))
    return (
        Notice(Listener.HANDLER, "task.rework", _holder_buttons(change.after)),
        *((decides,) if change.after.escalated else ()),
        Notice(Listener.COORDINATOR, "watch.rework"),
        Notice(Listener.ORIGIN_GROUP, "group.rework"),
    )


def _withdrawn(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.withdrawn"), Notice(Listener.ORIGIN_GROUP, "group.withdrawn"))


def _supplemented(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.supplemented"),)


def _urged(change: Change) -> tuple[Notice, ...]:
    if change.after.handler_id is None:
        return (Notice(Listener.COORDINATOR, "triage.urged", TRIAGE_BUTTONS),)
    return (Notice(Listener.HANDLER, "task.urged", _holder_buttons(change.after)),)


def _marked_urgent(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.urgent", _holder_buttons(change.after)),)


def _holder_buttons(appeal: Appeal) -> tuple[Verb, ...]:
    """What can be done by who holds the matter: the owner, or the coordinator while nobody owns it."""
    if appeal.handler_id is None:
        return TRIAGE_BUTTONS
    if appeal.status in WORKING:
        return (Verb.PROGRESS,) if appeal.escalated else WORK_BUTTONS
    return TASK_BUTTONS if appeal.status is Status.DISPATCHED else (Verb.PROGRESS,)


def _declined(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.declined", (Verb.OBJECT,)),)


def _resubmitted(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.COORDINATOR, "triage.again", TRIAGE_BUTTONS),)


def _suspended(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.suspended"), Notice(Listener.HANDLER, "task.suspended"))


def _resumed(change: Change) -> tuple[Notice, ...]:
    buttons = _holder_buttons(change.after)
    return (Notice(Listener.CONTACT, "firm.resumed"), Notice(Listener.HANDLER, "task.resumed", buttons))


def _merged(change: Change) -> tuple[Notice, ...]:
    into: Mapping[str, Fact] = {"into": change.after.merged_into}
    return (Notice(Listener.CONTACT, "firm.merged", (), into), Notice(Listener.HANDLER, "task.merged", (), into))


def _unrated(change: Change) -> tuple[Notice, ...]:
    if change.after.status is not Status.UNRATED:
        return ()
    return (Notice(Listener.CONTACT, "firm.unrated", SURVEY_BUTTONS),)


def _disputed(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.disputed"), Notice(Listener.HANDLER, "task.disputed"))


def _instructed(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.instructed", WORK_BUTTONS), Notice(Listener.CONTACT, "firm.progress"))


_BY_VERB: Mapping[Verb, Callable[[Change], tuple[Notice, ...]]] = {
    Verb.FILE: _filed,
    Verb.DISPATCH: _dispatched,
    Verb.RULE: _dispatched,
    Verb.HAND_OVER: _handed_over,
    Verb.ACKNOWLEDGE: _acknowledged,
    Verb.RETURN: _returned,
    Verb.PROGRESS: _progressed,
    Verb.TRANSFER: _transfer_asked,
    Verb.DENY: _denied,
    Verb.RESOLVE: _resolved,
    Verb.EXPLAIN: _resolved,
    Verb.SATISFIED: _closed,
    Verb.FAIRLY_SATISFIED: _closed,
    Verb.DISSATISFIED: _reworked,
    Verb.REWORK: _reworked,
    Verb.WITHDRAW: _withdrawn,
    Verb.SUPPLEMENT: _supplemented,
    Verb.URGE: _urged,
    Verb.URGENT: _marked_urgent,
    Verb.DECLINE: _declined,
    Verb.OBJECT: _resubmitted,
    Verb.UNDO: _resubmitted,
    Verb.SUSPEND: _suspended,
    Verb.LONG_TERM: _suspended,
    Verb.RESUME: _resumed,
    Verb.MERGE: _merged,
    Verb.FOLLOW_UP: _unrated,
    Verb.CLOSE_DISPUTED: _disputed,
    Verb.INSTRUCT: _instructed,
}


def button(verb: Verb, appeal: Appeal) -> Button:
    """The button of an appeal as it is now; one that only adds or looks is never outdated, so it carries no version."""
    return Button(verb, appeal.number, None if verb in _NEVER_OUTDATED else appeal.version)


def status_words(status: Status, *, firm: bool) -> Said:
    """The word for a status: the office's own, or the gentler one that firms are shown."""
    return Said(f"status.{status.value}.firm" if firm else f"status.{status.value}")
