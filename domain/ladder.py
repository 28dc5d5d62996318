"""Which rung of 催办 is reached when: pure functions of an appeal, the park's rules and a moment."""

from dataclasses import dataclass
from datetime import datetime

from domain.appeal import Appeal
from domain.rules import Clock, Listener, Rules, Rung


@dataclass(frozen=True, slots=True)
class Due:
    """A rung of one clock with the moment it is reached; `round` tells one running of the clock from the next."""

    clock: Clock
    round: int
    at: datetime
    deadline: datetime
    rung: Rung

    @property
    def tell(self) -> tuple[Listener, ...]:
        """Who hears of it."""
        return self.rung.tell


def _started(appeal: Appeal, clock: Clock) -> datetime:
    """When the time that a clock measures began."""
    if clock is Clock.DISPATCH:
        return appeal.intake_at or appeal.received_at
    if clock is Clock.ACKNOWLEDGE:
        return appeal.dispatched_at or appeal.received_at
    if clock is Clock.SURVEY:
        return appeal.resolved_at or appeal.received_at
    return appeal.round_started_at


def running(appeal: Appeal, clock: Clock) -> int:
    """Which running of a clock this is: intake and first response begin anew with an owner, work with a round."""
    return appeal.handovers if clock in (Clock.DISPATCH, Clock.ACKNOWLEDGE) else appeal.round


def _reached_at(rules: Rules, rung: Rung, started: datetime, deadline: datetime) -> datetime:
    if isinstance(rung.at, float):
        return rules.calendar.share(started, deadline, rung.at)
    return rules.calendar.offset(deadline, rung.at)


def rungs(appeal: Appeal, rules: Rules) -> tuple[Due, ...]:
    """All rungs of the clocks that run now, in order of time; one not after its clock's start falls away."""
    found: list[Due] = []
    for clock, deadline in appeal.clocks.items():
        started = _started(appeal, clock)
        for rung in rules.ladders.get(clock, ()):
            at = _reached_at(rules, rung, started, deadline)
            if at > started:
                found.append(Due(clock, running(appeal, clock), at, deadline, rung))
    return tuple(sorted(found, key=lambda due: due.at))


def reached(appeal: Appeal, rules: Rules, now: datetime) -> tuple[Due, ...]:
    """The rungs whose moment has come, the latest last; storage knows which of them were told already."""
    return tuple(due for due in rungs(appeal, rules) if due.at <= now)


def next_due(appeal: Appeal, rules: Rules, after: datetime) -> datetime | None:
    """The next moment at which the clock has something to say about this appeal."""
    return next((due.at for due in rungs(appeal, rules) if due.at > after), None)
