"""The process dies at a step of every command there is, and starts again: nothing is lost, nothing happens twice."""

import asyncio
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from handlers import ROUTER
from tests import needs
from tests.faults.course import COURSE, Moment, walk
from tests.faults.crashing import Fate, Lives
from tests.faults.test_crash_points import check_sent, moved_in, state
from tests.summary import Tally

DEATHS = needs.count(1, 1000)
"""At so many steps of a command at most."""
NOTICE = "policy.notice"

pytestmark = pytest.mark.xdist_group("crash verbs")


@pytest.fixture(scope="module")
def moments(tmp_path_factory: pytest.TempPathFactory) -> Sequence[Moment]:
    return asyncio.run(walk(tmp_path_factory.mktemp("course")))


def test_every_command_is_on_the_course_and_none_is_refused(moments: Sequence[Moment]) -> None:
    assert set(ROUTER.commands) <= {moment.line.verb for moment in moments}
    for moment in moments:
        assert moment.answers, moment.line
        assert not [said.text for said in moment.answers if said.key.startswith("refused.")], moment.line


@pytest.mark.timeout(needs.count(60, 3600))
@pytest.mark.parametrize("n", range(len(COURSE)), ids=lambda n: f"{n + 1}-{COURSE[n].verb or 'words'}")
async def test_dying_at_a_step_of_a_command_changes_nothing_in_the_end(
    n: int, moments: Sequence[Moment], tmp_path: Path, tally: Tally
) -> None:
    moment = moments[n]
    async with moved_in(moment.house, tmp_path / "once.db", moment.at) as lives:
        whole = Fate()
        assert await lives.live(whole, [moment.body])
        wanted, told = await state(lives.database), [(parcel.chat, parcel.text) for parcel in lives.sent]
    ends = deaths(n, whole.steps)
    for end in ends:
        async with moved_in(moment.house, tmp_path / "again.db", moment.at) as lives:
            before = {row for row, what in (await notices(lives)).items() if what == "sent"}
            assert not await lives.live(Fate(end), [moment.body]), end
            assert await lives.live(Fate(), [moment.body]), end
            if is_broadcast(moment):
                await check_broadcast(lives, wanted, before, end)
                continue
            assert await state(lives.database) == wanted, end
            await check_sent(lives, told, end)
    tally("R2a", len(ends))


def is_broadcast(moment: Moment) -> bool:
    """Whether a policy goes to groups: what was under way at a death is not repeated, and the office is told so."""
    return any(said.key == NOTICE for said in moment.answers)


async def notices(lives: Lives) -> dict[int, str]:
    """The rows of a policy's notices, and their states."""
    sql = "SELECT id, state FROM outbox WHERE text_key = :key"
    rows = await lives.database.reading(lambda tx: tx.all(sql, {"key": NOTICE}))
    return {row["id"]: row["state"] for row in rows}


async def check_broadcast(lives: Lives, wanted: Mapping[str, Sequence[Any]], before: set[int], end: int) -> None:
    """No notice left twice; one that is not known to have arrived is listed; all else is as ever."""
    found = await state(lives.database)
    assert {**found, "owed": 0, "sent": 0} == {**wanted, "owed": 0, "sent": 0}, end
    after, left = await notices(lives), Counter(parcel.id for parcel in lives.sent)
    assert all(left[row] == (row not in before) for row, what in after.items() if what == "sent"), end
    assert all(what == "uncertain" and left[row] <= 1 for row, what in after.items() if what != "sent"), end
    others = await lives.database.reading(lambda tx: tx.all("SELECT text_key, state FROM outbox"))
    assert {row["state"] for row in others if row["text_key"] != NOTICE} <= {"sent", "superseded"}, end


def deaths(n: int, steps: int) -> Sequence[int]:
    """At which steps of a command its process dies; all of them where there are not more than are tried."""
    return random.Random(n).sample(range(1, steps + 1), min(DEATHS, steps))
