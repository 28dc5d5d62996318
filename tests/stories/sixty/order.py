"""What a park relies on whatever was foretold: decent hours, two a day, everything owned, the figures add up."""

from collections import Counter
from datetime import date, datetime
from itertools import pairwise

from domain.appeal import Status
from domain.rules import Rules
from storage.values import from_ms
from tests.stories.sixty.manners import disturbed_from
from tests.stories.sixty.oracle import Oracle
from tests.stories.sixty.verdict import Happened, Left, shown

_OWNED = frozenset({"dispatched", "in_progress", "rework", "suspended", "long_term", "resolved"})
_ENDED = frozenset({"resolve", "explain", "instant", "withdraw"})


def broken(oracle: Oracle, happened: Happened, rules: Rules) -> list[str]:
    """Every way in which the park was let down, one line each.

    The hour is that at which a reminder was owed; one whose program died leaves when the next one starts. What is
    urgent may be told at any hour, from the message on that answered to the owner's word: by its place among the
    messages and not by its time, for a clock that is set back brings hours twice.
    """
    found: list[str] = []
    days: Counter[tuple[int, date]] = Counter()
    for letter in happened.letters:
        person, at, numbers = letter.person, letter.owed, letter.numbers
        if letter.key == "remind.release" or all(_is_urgent(happened, letter, number) for number in numbers):
            continue
        days[person, rules.calendar.local(at).date()] += 1
        if disturbed_from(rules.calendar, at, office=oracle.roster.in_office(person)) > at:
            found.append(f"{oracle.roster.names[person]} was disturbed at {shown(at)} for {numbers}")
    found += [f"{oracle.roster.names[person]} had {n} on {day}" for (person, day), n in days.items() if n > 2]
    return found + _unowned(happened) + _chased_after_the_end(happened)


def _is_urgent(happened: Happened, letter: Left, number: str) -> bool:
    return number in happened.hurried and happened.hurried[number] < letter.id


def _unowned(happened: Happened) -> list[str]:
    """Somebody holds every matter, or the coordinators owe a decision; each has one status of those there are."""
    found = [
        f"nobody holds {row['number']}, which is {row['status']}"
        for row in happened.appeals
        if row["status"] in _OWNED and row["handler_id"] is None
    ]
    standing = Counter(row["status"] for row in happened.appeals)
    if sum(standing[status.value] for status in Status) != len(happened.filed):
        found.append(f"{len(happened.filed)} were filed, but the statuses come to {standing}")
    return found


def _chased_after_the_end(happened: Happened) -> list[str]:
    """Of the work nobody is told between the moment at which it was done and the next line of the history.

    Of hours that came twice, because the clock was set back, nobody can tell which was first.
    """
    ends: dict[int, list[tuple[datetime, datetime]]] = {}
    for line, following in pairwise(sorted(happened.lines, key=lambda line: (line.appeal, line.version))):
        if line.name in _ENDED and line.appeal == following.appeal:
            ends.setdefault(line.appeal, []).append((line.at, following.at))
    return [
        f"{row['appeal_id']} {row['label']} was told at {row['told_at']}, when the work was done"
        for row in happened.rungs
        if row["told_at"] is not None and row["clock"] in ("resolve", "acknowledge")
        if not any(since <= from_ms(row["told_at"]) <= until for since, until in happened.twice)
        for done, again in ends.get(row["appeal_id"], [])
        if done < from_ms(row["told_at"]) < again
    ]
