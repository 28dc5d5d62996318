"""What `lianqi check` finds in the park itself: whatever will not work, in words that a coordinator can act on."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.channel import Finding
from domain.people import Purpose, Role
from domain.rules import Route, Rules
from domain.said import Fact, Said
from domain.workdays import DAYS_WANTED
from storage import backup, gaps, people
from storage.database import Tx

BACKUP_OLD = timedelta(days=2)


async def findings(tx: Tx, rules: Rules, at: datetime) -> Sequence[Finding]:
    """Everything worth telling: calendar, duties missing or ending, categories without unit, who cannot be reached."""
    return [
        *_calendar(rules, at),
        *await _duties(tx, at),
        *[Finding(gap) for gap in await gaps.gaps(tx, rules.calendar.local(at).date(), at)],
        *await _categories(tx, rules),
        *await _firms(tx),
        *await _backup(tx, at),
    ]


def _calendar(rules: Rules, at: datetime) -> list[Finding]:
    left = rules.calendar.days_covered(at)
    facts: dict[str, Fact] = {"until": rules.calendar.covered_until(), "days": left}
    return [Finding(Said("check.calendar", facts))] if left < DAYS_WANTED else []


async def _duties(tx: Tx, at: datetime) -> list[Finding]:
    found: list[Finding] = []
    if not await people.people_with(tx, Role.COORDINATOR, at):
        found.append(Finding(Said("check.no_coordinator"), must=True))
    if not await people.people_with(tx, Role.INSPECTOR, at):
        found.append(Finding(Said("check.no_inspector")))
    if not await people.groups_for(tx, Purpose.COORDINATION):
        found.append(Finding(Said("check.no_coordination_group")))
    found += [
        Finding(Said("check.no_duty", {"department": department.name}))
        for department in await people.departments(tx)
        if department.duty_id is None
    ]
    return found


async def _categories(tx: Tx, rules: Rules) -> list[Finding]:
    """Categories that lead to no department of the roster; one line for all while there is none whatever."""
    lost = [
        category
        for category in rules.categories.values()
        if category.department and await people.department_called(tx, category.department) is None
    ]
    musts = [category.route is Route.DEPARTMENT for category in lost]
    if lost and not await people.departments(tx):
        return [Finding(Said("check.no_departments", {"count": len(lost)}), must=any(musts))]
    return [
        Finding(Said("check.no_department", {"category": each.name, "department": each.department}), must=must)
        for each, must in zip(lost, musts, strict=True)
    ]


async def _firms(tx: Tx) -> list[Finding]:
    rows = await tx.all("SELECT name FROM enterprises WHERE active = 1 AND liaison_id IS NULL ORDER BY id")
    return [Finding(Said("check.no_liaison", {"firm": row["name"]})) for row in rows]


async def _backup(tx: Tx, at: datetime) -> list[Finding]:
    """When the house was backed up last; a house without any matter need not be."""
    made = await backup.latest(tx)
    if made is None:
        some = await tx.all("SELECT 1 AS found FROM appeals LIMIT 1")
        return [Finding(Said("check.never_backed_up"))] if some else []
    facts: dict[str, Fact] = {"at": made}
    if at - made < BACKUP_OLD:
        return [Finding(Said("check.last_backup", facts))]
    return [Finding(Said("check.old_backup", {"days": (at - made).days, **facts}))]
