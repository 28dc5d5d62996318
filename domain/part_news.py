"""Who hears of a change of a part of the work: who was asked, who asked, and the firm."""

from collections.abc import Mapping

from domain.appeal import Change
from domain.notices import PART_BUTTONS, STAND_IN_BUTTONS, WORK_BUTTONS, Notice
from domain.parts import PartKind
from domain.rules import Listener
from domain.verbs import Verb


def shared(change: Change) -> tuple[Notice, ...]:
    n = change.after.parts[-1].n
    by_paper = Notice(Listener.COORDINATOR, "watch.part_by_paper", STAND_IN_BUTTONS, part=n, echo=True)
    return (
        Notice(Listener.CO_HANDLER, "task.part", PART_BUTTONS, part=n, otherwise=by_paper),
        Notice(Listener.HANDLER, "task.part_given", part=n),
        Notice(Listener.CONTACT, "firm.part", part=n),
    )


def beyond(change: Change) -> tuple[Notice, ...]:
    n = change.after.parts[-1].n
    return (
        Notice(Listener.CONTACT, "firm.beyond", (), change.facts, part=n),
        Notice(Listener.COORDINATOR, "watch.beyond", (), change.facts, part=n),
    )


def part_moved(change: Change) -> tuple[Notice, ...]:
    n = _part_of(change)
    part = change.after.part(n)
    if part is not None and part.kind is PartKind.BEYOND:
        return (Notice(Listener.CONTACT, "firm.beyond_news", part=n),)
    said = {name: change.facts.get(name) for name in ("expected", "officer")}  # what a paper's answer says besides
    return (Notice(Listener.HANDLER, _PART_NEWS[change.verb], WORK_BUTTONS, said, part=n),)


_PART_NEWS: Mapping[Verb, str] = {
    Verb.PART_ACKNOWLEDGE: "task.part_acknowledge",
    Verb.PART_PROGRESS: "task.part_progress",
    Verb.PART_DONE: "task.part_done",
}


def part_returned(change: Change) -> tuple[Notice, ...]:
    n = _part_of(change)
    return (
        Notice(Listener.HANDLER, "task.part_return", (Verb.ASSIST,), part=n),
        Notice(Listener.COORDINATOR, "watch.part_return", (Verb.ASSIST,), part=n),
    )


def waived(change: Change) -> tuple[Notice, ...]:
    n = _part_of(change)
    return (
        Notice(Listener.CO_HANDLER, "task.part_waived", part=n),
        Notice(Listener.HANDLER, "task.waived", WORK_BUTTONS, part=n),
    )


def planned(change: Change) -> tuple[Notice, ...]:
    return (Notice(Listener.CONTACT, "firm.milestone", part=change.after.parts[-1].n),)


def reached(change: Change) -> tuple[Notice, ...]:
    """A milestone is reached; where it was the last, somebody has to say how it goes on."""
    n = _part_of(change)
    told = Notice(Listener.CONTACT, "firm.milestone_done", part=n)
    if any(part.kind is PartKind.MILESTONE for part in change.after.open_parts):
        return (told,)
    return (told, Notice(Listener.COORDINATOR, "watch.last_milestone", (Verb.RESUME,)))


def _part_of(change: Change) -> int:
    return int(str(change.facts["part"]))


def order_answered(change: Change) -> tuple[Notice, ...]:
    """Whoever gave an order hears what was reported on it."""
    was_open = change.before.open_parts if change.before else ()
    orders = (part for part in was_open if part.kind is PartKind.ORDER)
    return tuple(Notice(Listener.ORDERER, "watch.order_answered", (Verb.INSTRUCT,), part=part.n) for part in orders)


def to_open_parts(change: Change, key: str) -> tuple[Notice, ...]:
    """Everybody who works on a part hears what becomes of the whole."""
    shares = (part for part in change.after.open_parts if part.kind is PartKind.SHARE)
    return tuple(Notice(Listener.CO_HANDLER, key, part=part.n) for part in shares)
