"""The process dies at every single step of typical messages, and starts again: each has exactly one effect."""

import shutil
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from storage.database import Database
from storage.open import open_database
from tests import needs
from tests.faults.crashing import Fate, Lives
from tests.stories.town import Town
from tests.summary import Tally

AT = "2026-03-11 09:00"
STRIDE = needs.count(9, 1)
Body = Mapping[str, Any]


def says(who: str, text: str = "", where: str = "", **more: Any) -> Body:
    """A message as the memory channel reads it, with an id of its own."""
    return {
        "message_id": f"{who}-{text}-{more.get('button', '')}",
        "chat": f"group:{where}" if where else f"private:{who}",
        "private": not where,
        "sender": who,
        "sender_name": who,
        "text": text,
        **more,
    }


RAISED = [says("张建国", "/诉求 车间电压低，一天跳停三次", "宏达机械联企群")]
TAKEN = [*RAISED, says("王敏", "接单")]
DONE = [*TAKEN, says("王敏", "办结 已更换变压器")]

CASES: Mapping[str, tuple[Sequence[Body], Sequence[Body]]] = {
    "an appeal in a group": ([], RAISED),
    "a bare word that asks, and its answer": ([], [says("张建国", "诉求"), says("张建国", "路灯不亮")]),
    "接单 by button, pressed twice": (RAISED, [says("王敏", button="acknowledge:1:"), says("王敏", "接单")]),
    "a return that the coordinator rules on": (RAISED, [says("王敏", "退单 待定 不归我管")]),
    "progress notes one after the other": (TAKEN, [says("王敏", f"进展 第{n}步") for n in range(3)]),
    "done": (TAKEN, [says("王敏", "办结 已更换变压器")]),
    "not satisfied": (DONE, [says("张建国", "不满意 还是跳闸")]),
    "satisfied": (DONE, [says("张建国", "满意")]),
    "a refusal": ([], [says("王敏", "接单")]),
    "a stranger's appeal": ([], [says("陌生人", "诉求 门口积水")]),
    "several people at once": (
        RAISED,
        [says("王敏", "接单"), says("陈和顺", "诉求 路面破损"), says("张会计", "我的"), says("周芳", "待办")],
    ),
}


@pytest.fixture(scope="module")
def houses(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for prepared houses."""
    return tmp_path_factory.mktemp("houses")


async def prepared(houses: Path, before: Sequence[Body]) -> Path:
    """A house in which the morning's digest is out and these messages were heard already; made once."""
    path = houses / f"{abs(hash(repr(before)))}.db"
    if not path.exists():
        town = await Town.open(f"sqlite:///{path}", AT)
        await town.settle()
        for body in before:
            await town.channel.say(town.app.desk, body)
            await town.settle()
        await town.close()
    return path


@asynccontextmanager
async def moved_in(path: Path, copy: Path, at: str = AT) -> AsyncIterator[Lives]:
    """A copy of a prepared house to live and die in."""
    shutil.copy(path, copy)
    database = await open_database(f"sqlite:///{copy}")
    try:
        yield Lives(database, at)
    finally:
        await database.close()


async def state(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that messages bring about, without what tells one telling of it from another."""
    queries = {
        "appeals": "SELECT * FROM appeals ORDER BY id",
        "events": "SELECT subject, version, name, from_status, to_status, actor_id, facts FROM events ORDER BY id",
        "texts": "SELECT event_id, body FROM event_texts ORDER BY event_id",
        "owed": "SELECT chat_id, seq, lane, text_key, facts, appeal_id, reply_to FROM outbox ORDER BY id",
        "sent": "SELECT state, COUNT(*) FROM outbox GROUP BY state",
        "steps": "SELECT chat_id, account_id, verb, facts FROM steps ORDER BY 1, 2",
        "kept": "SELECT account_id, body FROM kept_messages ORDER BY id",
        "inbox": "SELECT external_id, state, attempts FROM inbox ORDER BY id",
        "counters": "SELECT name, value FROM counters ORDER BY name",
    }
    return {
        name: [tuple(row.values()) for row in await database.reading(lambda tx, sql=sql: tx.all(sql))]  # type: ignore[misc]  # bound at once
        for name, sql in queries.items()
    }


@pytest.mark.parametrize("case", CASES)
async def test_dying_at_any_step_changes_nothing_in_the_end(
    case: str, houses: Path, tmp_path: Path, tally: Tally
) -> None:
    before, bodies = CASES[case]
    path = await prepared(houses, before)
    async with moved_in(path, tmp_path / "once.db") as lives:
        whole = Fate()
        assert await lives.live(whole, bodies)
        wanted, told = await state(lives.database), [(parcel.chat, parcel.text) for parcel in lives.sent]
    assert whole.steps > 30
    ends = range(1 + len(case) % STRIDE, whole.steps + 1, STRIDE)
    for end in ends:
        async with moved_in(path, tmp_path / "again.db") as lives:
            assert not await lives.live(Fate(end), bodies), end
            assert await lives.live(Fate(), bodies), end
            assert await state(lives.database) == wanted, end
            await check_sent(lives, told, end)
    tally("R2a", len(ends))


async def check_sent(lives: Lives, told: Sequence[tuple[str, str]], end: int) -> None:
    """Everything arrived, in the order of each lane of each chat, and what was in flight at the death at most twice."""
    firsts = {parcel.id: (parcel.chat, parcel.text) for parcel in lives.sent}
    assert sorted(firsts.values()) == sorted(told), end
    places = await lives.database.reading(lambda tx: tx.all("SELECT id, chat_id, lane FROM outbox"))
    lane = {row["id"]: (row["chat_id"], row["lane"]) for row in places}
    assert all(a < b for a in firsts for b in list(firsts)[list(firsts).index(a) + 1 :] if lane[a] == lane[b]), end
    assert max(Counter(parcel.id for parcel in lives.sent).values()) <= 2, end


async def test_dying_twice_at_any_step_does_no_more_harm(houses: Path, tmp_path: Path) -> None:
    path = await prepared(houses, [])
    async with moved_in(path, tmp_path / "once.db") as lives:
        whole = Fate()
        await lives.live(whole, RAISED)
        wanted = await state(lives.database)
    for end in range(3, whole.steps, STRIDE * 2):
        async with moved_in(path, tmp_path / "again.db") as lives:
            await lives.live(Fate(end), RAISED)
            again = Fate(max(1, end // 2))
            await lives.live(again, RAISED)
            assert await lives.live(Fate(), RAISED)
            found = await state(lives.database)
            assert {name: rows for name, rows in found.items() if name != "sent"} == {
                name: rows for name, rows in wanted.items() if name != "sent"
            }, end
            assert max(Counter(parcel.id for parcel in lives.sent).values()) <= 2, end
