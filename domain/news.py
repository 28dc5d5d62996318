"""Who hears of which change of an appeal, in which words and with which buttons: one small function a verb."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from domain.appeal import WORKING, Appeal, Change, Status
from domain.guards import SECOND_THOUGHTS
from domain.notices import (
    DECIDE_BUTTONS,
    HELD_BACK,
    ORDER_BUTTONS,
    SURVEY_BUTTONS,
    TRIAGE_BUTTONS,
    WORK_BUTTONS,
    Notice,
    task_buttons,
)
from domain.part_news import (
    beyond,
    order_answered,
    part_moved,
    part_returned,
    planned,
    reached,
    shared,
    to_open_parts,
    waived,
)
from domain.rules import Listener
from domain.said import Fact
from domain.verbs import Verb


def notices(change: Change) -> tuple[Notice, ...]:
    """Everybody who must hear of the change besides the one who made it (he gets the reply)."""
    wanted = _BY_VERB.get(change.verb)
    found = wanted(change) if wanted else ()
    if change.verb not in HELD_BACK:
        return found
    later = change.at + SECOND_THOUGHTS
    return tuple(replace(each, earliest=later) for each in found)


def _filed(change: Change) -> tuple[Notice, ...]:
    """Filing tells nobody yet: the dispatch or the triage that follows at once does; a 代录 is told to the firm."""
    if change.after.recorded_by is None:
        return ()
    return (Notice(Listener.CONTACT, "firm.recorded", (Verb.SUPPLEMENT, Verb.WITHDRAW)),)


def _dispatched(change: Change) -> tuple[Notice, ...]:
    before = change.before
    found = [Notice(Listener.HANDLER, "task.dispatched", task_buttons(change.after))]
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
        Notice(Listener.COORDINATOR, "triage.returned", (Verb.DISPATCH, Verb.RULE), change.facts),
        Notice(Listener.CONTACT, "firm.reassigning"),
    )


def _progressed(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.progress"), *order_answered(change))


def _requested(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.COORDINATOR, f"triage.asked_{change.facts['wish']}", DECIDE_BUTTONS, change.facts),)


def _denied(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.denied", _holder_buttons(change.after), change.facts),)


def _resolved(change: Change) -> tuple[Notice, ...]:
    return (
        Notice(Listener.CONTACT, "firm.survey", SURVEY_BUTTONS),
        Notice(Listener.LIAISON, "task.resolved_by_other"),
        *order_answered(change),
    )


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
    return (
        Notice(Listener.HANDLER, "task.withdrawn"),
        *to_open_parts(change, "task.withdrawn"),
        Notice(Listener.ORIGIN_GROUP, "group.withdrawn"),
    )


def _supplemented(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.supplemented"),)


def _urged(change: Change) -> tuple[Notice, ...]:
    if change.after.handler_id is None:
        return (Notice(Listener.COORDINATOR, "triage.urged", TRIAGE_BUTTONS),)
    return (Notice(Listener.HANDLER, "task.urged", _holder_buttons(change.after)),)


def _marked_urgent(change: Change) -> tuple[Notice, ...]:
    taken = change.after.status is not Status.DISPATCHED
    answered: Mapping[str, Fact] = {"acknowledge_due": None} if taken else {}
    return (Notice(Listener.HANDLER, "task.urgent", _holder_buttons(change.after), answered),)


def _holder_buttons(appeal: Appeal) -> tuple[Verb, ...]:
    """What can be done by who holds the matter: the owner, or the coordinator while nobody owns it."""
    if appeal.handler_id is None:
        return TRIAGE_BUTTONS
    if appeal.status in WORKING:
        return (Verb.PROGRESS,) if appeal.escalated else WORK_BUTTONS
    return task_buttons(appeal) if appeal.status is Status.DISPATCHED else (Verb.PROGRESS,)


def _declined(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.declined", (Verb.OBJECT,)),)


def _resubmitted(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.COORDINATOR, "triage.again", TRIAGE_BUTTONS),)


def _suspended(change: Change) -> tuple[Notice, ...]:
    until: Mapping[str, Fact] = {"until": change.after.suspended_until}
    return (
        Notice(Listener.CONTACT, "firm.suspended", (), until),
        Notice(Listener.HANDLER, "task.suspended", (Verb.RESUME,), until),
        *to_open_parts(change, "task.part_paused"),
    )


def _resumed(change: Change) -> tuple[Notice, ...]:
    buttons = _holder_buttons(change.after)
    return (
        Notice(Listener.CONTACT, "firm.resumed"),
        Notice(Listener.HANDLER, "task.resumed", buttons),
        *to_open_parts(change, "task.part_resumed"),
    )


def _extended(change: Change) -> tuple[Notice, ...]:
    was: Mapping[str, Fact] = {"before": change.before.due if change.before else None}
    return (
        Notice(Listener.CONTACT, "firm.extended", (), was),
        Notice(Listener.HANDLER, "task.extended", WORK_BUTTONS, was),
        Notice(Listener.ORIGIN_GROUP, "group.extended", (), was),
    )


def _consent_asked(change: Change) -> tuple[Notice, ...]:
    """What the office would like to handle as a long-term matter needs the firm's consent."""
    return (Notice(Listener.CONTACT, "firm.long_term_asked", (Verb.AGREE, Verb.DISAGREE), change.facts),)


def _agreed(change: Change) -> tuple[Notice, ...]:
    last = change.after.parts[-1]
    plan: Mapping[str, Fact] = {"milestone": last.title, "until": last.due}
    return (
        Notice(Listener.HANDLER, "task.long_term", (Verb.MILESTONE, Verb.PROGRESS), plan),
        Notice(Listener.COORDINATOR, "watch.long_term", (), plan),
        *to_open_parts(change, "task.part_asleep"),
    )


def _disagreed(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.HANDLER, "task.disagreed", WORK_BUTTONS), Notice(Listener.COORDINATOR, "watch.disagreed"))


def _reclassified(change: Change) -> tuple[Notice, ...]:
    """The firm is told where its date moved, and why."""
    if change.before is None or change.before.due == change.after.due:
        return ()
    was: Mapping[str, Fact] = {"before": change.before.due}
    return (Notice(Listener.CONTACT, "firm.redated", (), was), Notice(Listener.HANDLER, "task.redated", (), was))


def _recounted(change: Change) -> tuple[Notice, ...]:
    before, after = change.before, change.after
    if before is None:
        return ()
    parts = tuple(
        Notice(Listener.CO_HANDLER, "task.part_recounted", (), {**change.facts, "before": old.due}, part=new.n)
        for old, new in zip(before.parts, after.parts, strict=True)
        if old.due != new.due
    )
    if before.due == after.due:
        return parts
    facts: Mapping[str, Fact] = {**change.facts, "before": before.due}
    held = (Notice(Listener.HANDLER, "task.recounted", (), facts),) if after.handler_id is not None else ()
    return (Notice(Listener.CONTACT, "firm.recounted", (), facts), *held, *parts)


def _hard_dated(change: Change) -> tuple[Notice, ...]:
    hard: Mapping[str, Fact] = {"hard": change.after.dates.hard}
    found = [Notice(Listener.HANDLER, "task.hard_date", (), hard)]
    if change.before is not None and change.before.due != change.after.due:
        found.append(Notice(Listener.CONTACT, "firm.redated", (), {"before": change.before.due}))
    return tuple(found)




def _referred(change: Change) -> tuple[Notice, ...]:
    return (
        Notice(Listener.CHIEF, "watch.referred", ORDER_BUTTONS, paper="chief_brief"),
        Notice(Listener.HANDLER, "task.referred"),
    )


def _supervised(change: Change) -> tuple[Notice, ...]:
    until: Mapping[str, Fact] = {"until": change.after.parts[-1].due}
    return (
        Notice(Listener.HANDLER, "task.supervised", WORK_BUTTONS, until, paper="supervision_notice"),
        Notice(Listener.HEAD, "watch.supervised", (), until, paper="supervision_notice"),
        Notice(Listener.COORDINATOR, "watch.supervised", (), until),
    )


def _merged(change: Change) -> tuple[Notice, ...]:
    into: Mapping[str, Fact] = {"into": change.after.merged_into}
    return (
        Notice(Listener.CONTACT, "firm.merged", (), into),
        Notice(Listener.HANDLER, "task.merged", (), into),
        *(replace(each, facts=into) for each in to_open_parts(change, "task.merged")),
    )


def _unrated(change: Change) -> tuple[Notice, ...]:
    if change.after.status is not Status.UNRATED:
        return ()
    return (Notice(Listener.CONTACT, "firm.unrated", SURVEY_BUTTONS),)


def _disputed(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.disputed"), Notice(Listener.HANDLER, "task.disputed"))


def _instructed(change: Change) -> tuple[Notice, ...]:
    if change.before is not None and change.before.escalated:
        return (Notice(Listener.HANDLER, "task.instructed", WORK_BUTTONS), Notice(Listener.CONTACT, "firm.progress"))
    until: Mapping[str, Fact] = {"until": change.after.parts[-1].due}
    return (
        Notice(Listener.HANDLER, "task.ordered", WORK_BUTTONS, until),
        Notice(Listener.HEAD, "watch.ordered", (), until),
        Notice(Listener.COORDINATOR, "watch.ordered", (), until),
    )


_BY_VERB: Mapping[Verb, Callable[[Change], tuple[Notice, ...]]] = {
    Verb.FILE: _filed,
    Verb.DISPATCH: _dispatched,
    Verb.RULE: _dispatched,
    Verb.HAND_OVER: _handed_over,
    Verb.ACKNOWLEDGE: _acknowledged,
    Verb.RETURN: _returned,
    Verb.PROGRESS: _progressed,
    Verb.REQUEST: _requested,
    Verb.APPROVE: _consent_asked,
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
    Verb.INSTANT: _resolved,
    Verb.EXTEND: _extended,
    Verb.SUSPEND: _suspended,
    Verb.RESUME: _resumed,
    Verb.AGREE: _agreed,
    Verb.DISAGREE: _disagreed,
    Verb.MILESTONE: planned,
    Verb.MILESTONE_DONE: reached,
    Verb.RECATEGORISE: _reclassified,
    Verb.DIFFICULTY: _reclassified,
    Verb.RECOUNT: _recounted,
    Verb.HARD_DATE: _hard_dated,
    Verb.ASSIST: shared,
    Verb.BEYOND: beyond,
    Verb.PART_ACKNOWLEDGE: part_moved,
    Verb.PART_PROGRESS: part_moved,
    Verb.PART_DONE: part_moved,
    Verb.PART_RETURN: part_returned,
    Verb.WAIVE: waived,
    Verb.REFER: _referred,
    Verb.SUPERVISE: _supervised,
    Verb.MERGE: _merged,
    Verb.FOLLOW_UP: _unrated,
    Verb.CLOSE_DISPUTED: _disputed,
    Verb.INSTRUCT: _instructed,
}
