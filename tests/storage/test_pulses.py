"""Signs of life: the newest counts, whoever saw it; a silence is noted once and ended once."""

from datetime import timedelta

from storage import pulses
from storage.database import Tx
from storage.pulses import INTAKE, Pulse
from tests.backends import open_house
from tests.making import civil

NOW = civil("2026-03-11 09:00")


async def test_what_another_process_has_seen_later_stays() -> None:
    database = await open_house()

    async def unit(tx: Tx) -> dict[str, Pulse]:
        await pulses.keep(tx, {"phone": Pulse(NOW, None)})
        await pulses.keep(tx, {"phone": Pulse(NOW - timedelta(minutes=1), NOW)})
        return await pulses.pulses(tx)

    assert await database.transaction(unit) == {"phone": Pulse(NOW, NOW)}
    await database.close()


async def test_of_two_processes_one_notes_a_silence_and_one_ends_it() -> None:
    database = await open_house()

    async def unit(tx: Tx) -> tuple[bool, list[bool]]:
        first = await pulses.begin(tx, "phone", INTAKE, NOW, NOW, 3)
        second = await pulses.begin(tx, "phone", INTAKE, NOW, NOW, 3)
        assert first is not None
        return second is None, [await pulses.end(tx, first, NOW) for _ in range(2)]

    assert await database.transaction(unit) == (True, [True, False])
    await database.close()
