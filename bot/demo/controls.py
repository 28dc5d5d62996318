"""The demo's clock and cast: a newcomer pushes time and becomes anybody of the seeded park."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import datetime, time, timedelta

from bot.app import App
from bot.web.context import DemoPerson, Group, Stride
from domain.people import Person, Role
from domain.workdays import Calendar
from storage import people
from storage.database import Tx
from storage.errors import StorageError

_log = logging.getLogger(__name__)

PLAY_PAUSE = 1.2
"""Seconds that a newcomer is given to read what happened, while the clock runs ahead by itself."""
FARTHEST = timedelta(days=3)
OPENING = time(9, 10)
MORNING = time(8, 30)

_GROUPS: tuple[tuple[Group, frozenset[Role]], ...] = (
    ("inspection", frozenset({Role.INSPECTOR})),
    ("office", frozenset({Role.COORDINATOR, Role.CHIEF})),
    ("liaison", frozenset({Role.LIAISON})),
    ("department", frozenset({Role.HANDLER, Role.HEAD})),
    ("firm", frozenset({Role.CONTACT})),
)
_ORDER: tuple[Group, ...] = ("firm", "liaison", "department", "office", "inspection")


def opening(calendar: Calendar, now: datetime) -> datetime:
    """When a fresh demo begins: on today's morning, or on the last working day's where today is none."""
    day = calendar.local(now).date()
    while not calendar.is_working_day(day):
        day -= timedelta(days=1)
    return datetime.combine(day, OPENING, calendar.zone).astimezone(now.tzinfo)


class Controls:
    """What the demo's panel may do; each stride steps through every due moment and has everything delivered."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._playing = asyncio.Event()

    def now(self) -> datetime:
        """Civil time of the demo."""
        return self._app.civil()

    def playing(self) -> bool:
        """Whether the clock runs ahead by itself."""
        return self._playing.is_set()

    async def advance(self, stride: Stride) -> None:
        """An hour on, to the next thing that happens, or to half past eight of the next day."""
        now = self._app.civil()
        if stride == "next":
            await self._app.step_on(now + FARTHEST)
        elif stride == "hour":
            await self._app.step_to(now + timedelta(hours=1))
        else:
            await self._app.step_to(self._next_morning(now))

    def _next_morning(self, now: datetime) -> datetime:
        calendar = self._app.park.rules.calendar
        local = calendar.local(now)
        morning = datetime.combine(local.date(), MORNING, calendar.zone)
        return (morning if morning > local else morning + timedelta(days=1)).astimezone(now.tzinfo)

    async def play(self, on: bool) -> None:
        """Let the clock run ahead by itself, or stop it."""
        if on:
            self._playing.set()
        else:
            self._playing.clear()

    async def run(self) -> None:
        """While it plays: on to the next thing that happens, a pause to read it, and again; until cancelled."""
        while True:
            await self._playing.wait()
            try:
                await self._app.step_on(self._app.civil() + FARTHEST)
            except StorageError as trouble:
                _log.warning("the demo's clock stops: %s", trouble)
                self._playing.clear()
            await asyncio.sleep(PLAY_PAUSE)

    async def people(self) -> Sequence[DemoPerson]:
        """Whom one may be, firms first."""
        at = self._app.civil()
        found = await self._app.database.reading(lambda tx: _cast(tx, at))
        return sorted(found, key=lambda person: (_ORDER.index(person.group), person.id))


async def _cast(tx: Tx, at: datetime) -> list[DemoPerson]:
    rows = await tx.all("SELECT person_id FROM accounts WHERE channel = 'web' AND person_id IS NOT NULL ORDER BY 1")
    cast: list[DemoPerson] = []
    for row in rows:
        person = await people.person(tx, row["person_id"], at)
        if person is None:
            continue
        group = next((group for group, roles in _GROUPS if not roles.isdisjoint(person.roles)), None)
        if group is not None:
            cast.append(DemoPerson(person.id, person.name, group, await _note(tx, person, group)))
    return cast


async def _note(tx: Tx, person: Person, group: Group) -> str:
    """His firm or office."""
    if group == "firm" and person.enterprise_ids:
        return (await people.enterprise(tx, min(person.enterprise_ids))).short_name
    department = await people.department(tx, person.department_id)
    return department.name if department else person.zone
