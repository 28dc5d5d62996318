"""Whom nothing reaches, why, and what is still to be done about it: the last part of `lianqi check`."""

from collections.abc import Mapping, Sequence

from bot.channel import Finding
from domain.said import Said
from storage.reaching import Unreached

MOST_NAMES = 20
_REASONS: Mapping[str, tuple[str, str]] = {
    "wecom_app": ("check.why_wecom_app", "check.step_wecom_app"),
    "wecom_aibot": ("check.why_wecom_aibot", "check.step_wecom_aibot"),
    "telegram": ("check.why_telegram", "check.step_telegram"),
}
"""Why somebody is not reached who is known on a channel, and what helps; the way that costs least comes first."""
_AT_START = ("check.why_at_start", "check.step_start")
_UNKNOWN = ("check.why_unknown", "check.step_invite")


def findings(people: Sequence[Unreached]) -> Sequence[Finding]:
    """Each of them, with the reason, and where he can be called by name meanwhile."""
    return [Finding(_told(person)) for person in people]


def _told(person: Unreached) -> Said:
    called = Said("check.called_in", {"group": person.group}) if person.group else None
    return Said("check.unreachable", {"name": person.name, "why": Said(_reason(person)[0]), "called": called})


def _reason(person: Unreached) -> tuple[str, str]:
    if person.at_start:
        return _AT_START
    return next((reason for channel, reason in _REASONS.items() if channel in person.channels), _UNKNOWN)


def steps(found: Sequence[Finding], people: Sequence[Unreached]) -> Said | None:
    """The steps that are left, in their order: what must be mended, then whom to bring in; None where all is done."""
    left = [Said("check.step_mend", {"count": sum(finding.must for finding in found)})]
    left = left if any(finding.must for finding in found) else []
    for _, step in (_AT_START, *_REASONS.values(), _UNKNOWN):
        names = [person.name for person in people if _reason(person)[1] == step]
        left += [Said(step, {"names": _listed(names)})] if names else []
    if not left:
        return None
    lines = tuple(Said("check.step", {"number": number, "step": step}) for number, step in enumerate(left, 1))
    return Said("check.steps", {"count": len(left), "lines": lines})


def _listed(names: Sequence[str]) -> Said:
    key = "check.names_more" if len(names) > MOST_NAMES else "check.names"
    return Said(key, {"names": "、".join(names[:MOST_NAMES]), "count": len(names)})
