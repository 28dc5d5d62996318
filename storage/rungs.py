"""Rungs of the ladder that were reached: one row a listener, each once; and who is still to be told of which."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.ladder import Due
from storage.database import Tx
from storage.values import from_ms, to_ms


@dataclass(frozen=True, slots=True)
class Owed:
    """A reached rung of which a listener has not been told yet; `clock` is the name of its running clock."""

    id: int
    appeal_id: int
    clock: str
    round: int
    label: str
    due_at: datetime


async def reach(tx: Tx, appeal_id: int, due: Due, listener: int, at: datetime) -> bool:
    """Note that a rung was reached for a listener (a person's id); False if it was noted before.

    It is owed to him at once, or held until somebody releases it.
    """
    return (
        await tx.run(
            """INSERT INTO rungs(appeal_id, clock, round, label, listener, due_at, reached_at, state)
               VALUES (:appeal, :clock, :round, :label, :listener, :due, :at, :state)
               ON CONFLICT (appeal_id, clock, round, label, listener) DO NOTHING""",
            {
                "appeal": appeal_id,
                "clock": due.running.name,
                "round": due.running.round,
                "label": due.rung.label,
                "listener": str(listener),
                "due": to_ms(due.at),
                "at": to_ms(at),
                "state": "held" if due.rung.release else "owed",
            },
        )
        == 1
    )


async def release(tx: Tx, appeal_id: int) -> int:
    """Let out the rungs of an appeal that were held; how many."""
    return await tx.run(
        "UPDATE rungs SET state = 'owed' WHERE appeal_id = :appeal AND state = 'held'", {"appeal": appeal_id}
    )


async def pass_on(tx: Tx, rung_id: int, listener: int) -> None:
    """Owe a rung to somebody else as well, unless it was reached for him before."""
    await tx.run(
        """INSERT INTO rungs(appeal_id, clock, round, label, listener, due_at, reached_at, state)
           SELECT appeal_id, clock, round, label, :listener, due_at, reached_at, 'owed' FROM rungs WHERE id = :id
           ON CONFLICT (appeal_id, clock, round, label, listener) DO NOTHING""",
        {"id": rung_id, "listener": str(listener)},
    )


async def supersede_lower(tx: Tx, appeal_id: int, listener: int) -> None:
    """Of an appeal's rungs owed to a listener only the highest is told; the others are kept as superseded."""
    await tx.run(
        """UPDATE rungs SET state = 'superseded'
           WHERE appeal_id = :appeal AND listener = :listener AND state = 'owed' AND id <> (
               SELECT id FROM rungs WHERE appeal_id = :appeal AND listener = :listener AND state = 'owed'
               ORDER BY due_at DESC, id DESC LIMIT 1)""",
        {"appeal": appeal_id, "listener": str(listener)},
    )


async def listeners_owed(tx: Tx) -> Sequence[int]:
    """The people who are owed a reminder."""
    rows = await tx.all("SELECT DISTINCT listener FROM rungs WHERE state = 'owed'")
    return sorted(int(row["listener"]) for row in rows)


async def owed_to(tx: Tx, listener: int) -> Sequence[Owed]:
    """What a listener is owed, the longest due first."""
    rows = await tx.all(
        "SELECT * FROM rungs WHERE state = 'owed' AND listener = :listener ORDER BY due_at, id",
        {"listener": str(listener)},
    )
    return [
        Owed(
            row["id"],
            row["appeal_id"],
            row["clock"],
            row["round"],
            row["label"],
            from_ms(row["due_at"]),
        )
        for row in rows
    ]


async def owed_urgently(tx: Tx, listener: int) -> bool:
    """Whether anything that a listener is owed is urgent."""
    found = await tx.all(
        """SELECT r.id FROM rungs r JOIN appeals a ON a.id = r.appeal_id
           WHERE r.state = 'owed' AND r.listener = :listener AND a.urgent = 1 LIMIT 1""",
        {"listener": str(listener)},
    )
    return bool(found)


async def settle(tx: Tx, rung_id: int, state: str, told_at: datetime | None) -> None:
    """`told` with its moment, or `void` where the work was done before anybody could be told."""
    await tx.run(
        "UPDATE rungs SET state = :state, told_at = :at WHERE id = :id",
        {"state": state, "at": to_ms(told_at) if told_at else None, "id": rung_id},
    )


async def moment_to_tell(tx: Tx, listener: int, at: datetime) -> datetime:
    """`at`, or the first millisecond after it at which a person was told nothing: each message has one of its own.

    By these `times_told` counts them, and a clock that was set back strikes the same hour twice.
    """
    moment = at
    while await tx.all(
        "SELECT id FROM rungs WHERE listener = :listener AND told_at = :at LIMIT 1",
        {"listener": str(listener), "at": to_ms(moment)},
    ):
        moment += timedelta(milliseconds=1)
    return moment


async def times_told(tx: Tx, listener: int, since: datetime) -> int:
    """How many reminders a person was sent since then; what went out together counts once."""
    row = await tx.one(
        "SELECT COUNT(DISTINCT told_at) AS n FROM rungs WHERE listener = :listener AND told_at >= :since",
        {"listener": str(listener), "since": to_ms(since)},
    )
    return int(row["n"]) if row else 0


async def told_about(tx: Tx, appeal_id: int) -> int:
    """How many times people were reminded of an appeal; what several heard at one moment counts once."""
    row = await tx.one(
        "SELECT COUNT(DISTINCT told_at) AS n FROM rungs WHERE appeal_id = :appeal AND told_at IS NOT NULL",
        {"appeal": appeal_id},
    )
    return int(row["n"]) if row else 0
