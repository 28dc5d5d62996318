"""A message owed to somebody by his part in an appeal, and the buttons that go with it; storage finds the chats."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum

from domain.appeal import Appeal, Status
from domain.guards import is_settled_whose
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
    """One message owed to one listener; the facts every message about an appeal has are added by storage.

    `part` names the part of which the listener is meant and the facts are told; `paper` is a document that comes along;
    `earliest` is when it may leave. `otherwise` is told in its place where the part is an outside unit's that no chat
    reaches; `echo`: whoever made the change hears it as well.
    """

    listener: Listener
    key: str
    buttons: tuple[Verb, ...] = ()
    facts: Mapping[str, Fact] = field(default_factory=dict)
    part: int = 0
    paper: str = ""
    earliest: datetime | None = None
    otherwise: "Notice | None" = None
    echo: bool = False


TASK_BUTTONS = (Verb.ACKNOWLEDGE, Verb.CONTACTED, Verb.RETURN)
WORK_BUTTONS = (Verb.PROGRESS, Verb.RESOLVE, Verb.TRANSFER)
PART_BUTTONS = (Verb.PROGRESS, Verb.RESOLVE, Verb.RETURN)
STAND_IN_BUTTONS = (Verb.SLIP, Verb.PROXY)
"""For an outside unit that no chat reaches: by paper, or by its word on the phone."""
DECIDE_BUTTONS = (Verb.APPROVE, Verb.DENY)
ORDER_BUTTONS = (Verb.INSTRUCT, Verb.READ)
HELD_BACK = frozenset({Verb.PROGRESS, Verb.RESOLVE, Verb.EXPLAIN, Verb.INSTANT})
"""A handler's steps of which others hear a minute later, so that a slip can be taken back."""
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


def task_buttons(appeal: Appeal) -> tuple[Verb, ...]:
    """What the owner of a matter not yet taken on is offered: to return it only while he may."""
    return tuple(verb for verb in TASK_BUTTONS if verb is not Verb.RETURN or not is_settled_whose(appeal))


def button(verb: Verb, appeal: Appeal, part: int = 0) -> Button:
    """The button of an appeal as it is now; one that only adds or looks is never outdated, so it carries no version.

    That of a part carries the part's number instead: it is outdated when the part has ended.
    """
    argument = str(part) if part else None
    return Button(verb, appeal.number, None if part or verb in _NEVER_OUTDATED else appeal.version, argument)


def status_words(status: Status, *, firm: bool) -> Said:
    """The word for a status: the office's own, or the gentler one that firms are shown."""
    return Said(f"status.{status.value}.firm" if firm else f"status.{status.value}")
