"""Sixty days of a park: who says what when, when the program stops, and when somebody sets the clock."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from storage.values import from_json
from tests.making import civil
from tests.stories.sixty.acts import Talk, cases, handover, leave, new_matter, on_duty
from tests.stories.sixty.park import make_rules
from tests.stories.sixty.watched import WatchedTown

DAYS, MATTERS, TURNS, LEAVES, HANDOVERS, SHIFTS = 60, 200, 1200, 45, 6, 12
STARTS = ("2026-01-26", "2026-04-07", "2026-08-24", "2026-09-14")
"""Spring festival; Qingming and May Day; an autumn before and over National Day."""
BUSY = ((8, 30), (12, 0)), ((14, 0), (17, 30))


_UNSAID = """
SELECT p.name, o.facts FROM outbox o JOIN people p ON p.id = o.person_id
WHERE o.state = 'pending' AND o.text_key IN ('remind.one', 'remind.several') ORDER BY o.id
"""


@dataclass
class Course:
    """A seed's sixty days in a town."""

    town: WatchedTown
    dice: Random
    start: datetime

    async def run(self) -> None:
        """Live through them, and end on a working morning."""
        plan = self._plan()
        for moment, what in sorted(plan, key=lambda each: each[0]):
            if moment > self.town.now:
                await self.town.pass_to(moment)
            else:
                await self.town.pass_to(self.town.now + timedelta(seconds=self.dice.randint(1, 600)))
            await what()
        calendar = self.town.app.park.rules.calendar
        await self.town.pass_to(calendar.next_open(self.town.now + timedelta(days=1)) + timedelta(minutes=90))
        await self.town.settle()

    def _plan(self) -> list[tuple[datetime, Callable[[], Awaitable[None]]]]:
        last = DAYS - 6
        plan: list[tuple[datetime, Callable[[], Awaitable[None]]]] = [
            (self._moment(0, last, busy=self.dice.random() < 0.8), self._file) for _ in range(MATTERS)
        ]
        plan += [(self._moment(0, DAYS, busy=self.dice.random() < 0.85), self._talk) for _ in range(TURNS)]
        plan += [(self._moment(0, DAYS, busy=True), self._leave) for _ in range(LEAVES)]
        plan += [(self._moment(5, DAYS, busy=True), self._hand_over) for _ in range(HANDOVERS)]
        plan += [(self._moment(0, DAYS, busy=True), self._enter_shift) for _ in range(SHIFTS)]
        for trouble, times in (
            (self._restart, 8),
            (self._down, 3),
            (self._dead, 5),
            (self._ahead, 2),
            (self._back, 3),
        ):
            plan += [(self._moment(2, DAYS), trouble) for _ in range(times)]
        return plan

    def _moment(self, first: int, last: int, *, busy: bool = False) -> datetime:
        """A random second of these days; a busy one lies in office hours, if it is a working day."""
        day = self.start + timedelta(days=self.dice.randrange(first, last))
        if not busy:
            return day + timedelta(seconds=self.dice.randrange(86_400))
        (from_hour, from_minute), (to_hour, to_minute) = self.dice.choice(BUSY)
        opens, closes = from_hour * 3600 + from_minute * 60, to_hour * 3600 + to_minute * 60
        return day + timedelta(seconds=self.dice.randrange(opens, closes))

    # People ---------------------------------------------------------------------------------------------------------
    async def _file(self) -> None:
        await self.town.says(*new_matter(self.dice))

    async def _leave(self) -> None:
        await self.town.says(*leave(self.dice, self.town.now))

    async def _hand_over(self) -> None:
        who, text = handover(self.dice)
        await self.town.says(who, text)
        await self.town.says(who, "确认")

    async def _enter_shift(self) -> None:
        await self.town.says(*on_duty(self.dice))

    async def _talk(self) -> None:
        turn = await self._turn()
        if turn is None:
            return
        who, text = turn
        await self.town.says(who, text)
        if text.startswith(("进展", "办结", "解释", "即办")) and self.dice.random() < 0.12:
            await self.town.pass_to(self.town.now + timedelta(seconds=self.dice.randint(5, 70)))
            await self.town.says(who, "撤销")

    async def _turn(self) -> tuple[str, str] | None:
        """Who says what next."""
        known = await cases(self.town)
        if not known:
            return None
        case = self.dice.choices(known, [each.weight for each in known])[0]
        options = Talk(self.dice, case, self.town.now).options()
        if not options:
            return None
        _, who, text = self.dice.choices(options, [each[0] for each in options])[0]
        return who, text

    # Troubles -------------------------------------------------------------------------------------------------------
    async def _heard_later(self) -> None:
        """Sometimes somebody has written meanwhile, and is heard before the clock rings."""
        for _ in range(self.dice.choice((0, 0, 1, 3))):
            turn = await self._turn()
            if turn is not None:
                await self.town.tell_unheard(*turn)
        await self.town.settle()

    async def _restart(self) -> None:
        self.town.restart(timedelta(seconds=self.dice.randint(0, 90)))
        await self._heard_later()

    async def _down(self) -> None:
        self.town.restart(timedelta(hours=self.dice.choice((2, 5, 17, 48, 49.5))))
        await self._heard_later()

    async def _dead(self) -> None:
        """What the dead one had still to say may be done before the next one says it."""
        await self.town.die_before_sending()
        unsaid = await self.town.all(_UNSAID)
        self.town.restart(timedelta(minutes=self.dice.choice((0, 1, 240))))
        for row in unsaid:
            number, clock, _ = from_json(row["facts"])["holds"][0].split("|")
            if self.dice.random() < 0.6:
                done = {"acknowledge": f"接单 {number}", "survey": f"满意 {number}"}.get(clock, f"办结 {number} 已办妥")
                await self.town.tell_unheard(row["name"], done)
        await self._heard_later()

    async def _ahead(self) -> None:
        self.town.set_clock(timedelta(days=2))
        await self._heard_later()

    async def _back(self) -> None:
        self.town.set_clock(timedelta(hours=-3))
        await self._heard_later()
        for _ in range(self.dice.randint(1, 6)):
            await self.town.pass_to(self.town.now + timedelta(minutes=self.dice.randint(1, 40)))
            await self._talk()


async def live(seed: int) -> WatchedTown:
    """The town after its sixty days."""
    start = STARTS[seed % len(STARTS)]
    town = await WatchedTown.found(make_rules(), f"{start} 07:00")
    await Course(town, Random(seed), civil(f"{start} 00:00")).run()
    return town
