"""The life of an appeal: its statuses, and which step leads from which to which."""

from deploy.reference.tables import en, table, zh
from domain.appeal import OPEN, Status
from domain.lifecycle import STEPS
from domain.verbs import Verb
from handlers import ROUTER

STAYS = "＝"
NEEDS_TEXT = " ✎"
NO_COMMAND = " △"


def statuses() -> str:
    """Every status in the office's words and in the firm's."""
    rows = [
        (
            f"`{status}`",
            zh(f"status.{status}"),
            en(f"status.{status}"),
            f"{zh(f'status.{status}.firm')}<br>{en(f'status.{status}.firm')}",
            "是 / yes" if status in OPEN else "",
        )
        for status in Status
    ]
    return table(("code", "内部 / office", "", "企业看到 / the firm reads", "未办结 / open"), rows)


def matrix() -> str:
    """Steps down, statuses across; a cell says where the step leads."""
    steps = [verb for verb in Verb if any(step is verb for step, _ in STEPS)]
    headers = ("步骤 / step", *(zh(f"status.{status}") for status in Status))
    return table(headers, [(_name(verb), *(_cell(verb, status) for status in Status)) for verb in steps])


def _name(verb: Verb) -> str:
    needs = any(row.needs_text for (step, _), row in STEPS.items() if step is verb)
    answered = verb in ROUTER.commands
    return f"{zh(f'verb.{verb}')} `{verb}`{NEEDS_TEXT if needs else ''}{'' if answered else NO_COMMAND}"


def _cell(verb: Verb, status: Status) -> str:
    row = STEPS.get((verb, status))
    if row is None:
        return ""
    return STAYS if row.target in (None, status) else f"→ {zh(f'status.{row.target}')}"
