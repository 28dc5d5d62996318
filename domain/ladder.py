"""Which rung of 催办 is reached when: pure functions of an appeal, the park's rules and a moment."""

from dataclasses import dataclass
from datetime import datetime

from domain.appeal import Appeal, Running, Status
from domain.rules import Listener, Rules, Rung


@dataclass(frozen=True, slots=True)
class Due:
    """A rung of a running clock with the moment it is reached."""

    running: Running
    at: datetime
    rung: Rung

    @property
    def tell(self) -> tuple[Listener, ...]:
        """Who hears of it."""
        return self.rung.tell

    @property
    def deadline(self) -> datetime:
        """The deadline that it is told of."""
        return self.running.deadline


def _reached_at(rules: Rules, rung: Rung, started: datetime, deadline: datetime) -> datetime:
    if isinstance(rung.at, float):
        return rules.calendar.share(started, deadline, rung.at)
    return rules.calendar.offset(deadline, rung.at)


def rungs(appeal: Appeal, rules: Rules) -> tuple[Due, ...]:
    """All rungs of the clocks that run now, in order of time; one not after its clock's start falls away."""
    found: list[Due] = []
    for running in appeal.running:
        for rung in rules.ladder(running.clock, appeal.kind):
            at = _reached_at(rules, rung, running.started, running.deadline)
            if at > running.started:
                found.append(Due(running, at, rung))
    return tuple(sorted(found, key=lambda due: due.at))


def reached(appeal: Appeal, rules: Rules, now: datetime) -> tuple[Due, ...]:
    """The rungs whose moment has come, the latest last; storage knows which of them were told already."""
    return tuple(due for due in rungs(appeal, rules) if due.at <= now)


def next_due(appeal: Appeal, rules: Rules, after: datetime) -> datetime | None:
    """The next moment at which the clock has something to say about this appeal, or to do: a suspension ends."""
    if appeal.status is Status.SUSPENDED:
        return appeal.suspended_until
    return next((due.at for due in rungs(appeal, rules) if due.at > after), None)
