"""The process dies at a step of every command there is, and starts again: nothing is lost, nothing happens twice."""

import asyncio
import random
from collections.abc import Sequence
from pathlib import Path

import pytest

from handlers import ROUTER
from tests import needs
from tests.faults.course import COURSE, Moment, walk
from tests.faults.crashing import Fate
from tests.faults.test_crash_points import check_sent, moved_in, state
from tests.summary import Tally

DEATHS = needs.count(1, 1000)
"""At so many steps of a command at most."""

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
            assert not await lives.live(Fate(end), [moment.body]), end
            assert await lives.live(Fate(), [moment.body]), end
            assert await state(lives.database) == wanted, end
            await check_sent(lives, told, end)
    tally("R2a", len(ends))


def deaths(n: int, steps: int) -> Sequence[int]:
    """At which steps of a command its process dies; all of them where there are not more than are tried."""
    return random.Random(n).sample(range(1, steps + 1), min(DEATHS, steps))
