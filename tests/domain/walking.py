"""Leads an appeal along in memory, step by step, with sensible details for whatever step it is."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.appeal import Appeal, Change, Details, Slip, Status
from domain.errors import Refused
from domain.lifecycle import submit, take
from domain.parts import PartKind
from domain.rules import Difficulty, Rules
from domain.said import Fact
from domain.verbs import Verb
from domain.workdays import Span, Unit
from tests.making import civil, drafted, make_rules

RULES = make_rules()
MONDAY = civil("2026-03-09 10:00")
LIAISON, ACTOR, HANDLER, OTHER, CO_HANDLER = 2, 5, 7, 8, 9
POWER, BUILDING = 70, 71
TWO_DAYS = Span(2, Unit.WORKING_DAYS)
WORK = (Verb.DISPATCH, Verb.ACKNOWLEDGE)
DONE = (*WORK, Verb.RESOLVE)
SHARED = (*WORK, Verb.ASSIST)
LONG = (*WORK, Verb.AGREE)

_UNTIL = {
    Verb.SUSPEND: timedelta(days=60),
    Verb.AGREE: timedelta(days=60),
    Verb.MILESTONE: timedelta(days=90),
    Verb.BEYOND: timedelta(days=14),
    Verb.HARD_DATE: timedelta(days=5),
    Verb.SUPERVISE: timedelta(days=3),
    Verb.INSTRUCT: timedelta(days=3),
}
_ANSWERED = (PartKind.SHARE, PartKind.BEYOND)
_FITTING = {Verb.MILESTONE_DONE: (PartKind.MILESTONE,)}


def filed(at: datetime = MONDAY, rules: Rules = RULES, **draft: Any) -> Appeal:
    """An appeal as it is after its first event, with a row id."""
    return replace(submit(drafted(**draft), by=1, at=at, rules=rules).after, id=1)


def given(appeal: Appeal, verb: Verb, at: datetime, **changed: Any) -> Details:
    """What this step needs and all that another one might; `changed` has the last word."""
    fitting = [part.n for part in appeal.open_parts if part.kind in _FITTING.get(verb, _ANSWERED)]
    part = fitting[-1] if fitting else None
    facts: dict[str, Fact] = {"part": part, "wish": "extend"}
    plain: dict[str, Any] = {
        "text": "说明",
        "handler_id": CO_HANDLER if verb is Verb.ASSIST else HANDLER,
        "department_id": BUILDING if verb is Verb.ASSIST else POWER,
        "category": "land",
        "difficulty": Difficulty.HARD,
        "merged_into": "99",
        "until": at + _UNTIL[verb] if verb in _UNTIL else None,
        "span": TWO_DAYS,
        "part": part,
        "unit": "建设局",
        "title": "出具意见",
        "slip": slip_of(appeal, at),
        "instead_of": LIAISON,
        "facts": facts,
    }
    return Details(**{**plain, **changed})


def slip_of(appeal: Appeal, at: datetime, by: int = ACTOR) -> Slip:
    """What the appeal's last step may have been, for who has nothing better to take back."""
    if appeal.status is Status.RESOLVED:
        return Slip(Verb.RESOLVE, by, at, Status.IN_PROGRESS)
    return Slip(Verb.PROGRESS, by, at, appeal.status)


def change(appeal: Appeal, verb: Verb, at: datetime = MONDAY, rules: Rules = RULES, **details: Any) -> Change:
    """One step with its usual details."""
    return take(appeal, verb, by=ACTOR, at=at, rules=rules, details=given(appeal, verb, at, **details))


def step(appeal: Appeal, verb: Verb, at: datetime = MONDAY, rules: Rules = RULES, **details: Any) -> Appeal:
    """The appeal after one step."""
    return change(appeal, verb, at, rules, **details).after


def walk(*verbs: Verb, at: datetime = MONDAY, rules: Rules = RULES, **draft: Any) -> Appeal:
    """An appeal that went this way, all at one moment."""
    appeal = filed(at, rules, **draft)
    for verb in verbs:
        appeal = step(appeal, verb, at, rules)
    return appeal


def refused(appeal: Appeal, verb: Verb, at: datetime = MONDAY, rules: Rules = RULES, **details: Any) -> Refused:
    """How a step is refused; the test fails where it is taken."""
    with pytest.raises(Refused) as caught:
        step(appeal, verb, at, rules, **details)
    return caught.value


def refusal(appeal: Appeal, verb: Verb, at: datetime = MONDAY, rules: Rules = RULES, **details: Any) -> str:
    """The key of the refusal."""
    return refused(appeal, verb, at, rules, **details).key


def told(error: Refused) -> Mapping[str, Any]:
    """What a refusal says besides its key."""
    return error.facts
