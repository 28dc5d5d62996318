"""What /metrics tells of the house: counts and ages, never a name or a word; sealed appeals are not counted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from domain.appeal import OPEN, Status
from storage import pulses
from storage.database import Tx
from storage.figures import RUNNING, statuses
from storage.pulses import Pulse
from storage.values import from_ms_or_none, to_ms


@dataclass(frozen=True, slots=True)
class Waiting:
    """Updates not handled yet, or messages of one lane in one state; `oldest` is None where no hour has come."""

    channel: str
    count: int
    oldest: datetime | None
    lane: int = 0
    state: str = ""


@dataclass(frozen=True, slots=True)
class Gauges:
    """One look at the house. `missed` are messages that did not arrive, or not for sure, by channel, lane and state."""

    inbox: Sequence[Waiting]
    inbox_dead: Mapping[str, int]
    outbox: Sequence[Waiting]
    missed: Sequence[Waiting]
    appeals: Mapping[str, int]
    overdue: int
    silences: Sequence[tuple[str, str]]
    pulses: Mapping[str, Pulse] = field(default_factory=dict)


async def look(tx: Tx, civil: datetime) -> Gauges:
    """What is so at this civil moment."""
    return Gauges(
        inbox=await _inbox(tx),
        inbox_dead=await _inbox_dead(tx),
        outbox=await _outbox(tx, civil),
        missed=await _missed(tx),
        appeals=await _appeals(tx),
        overdue=await _overdue(tx, civil),
        silences=[(silence.channel, silence.kind) for silence in await pulses.silences(tx)],
        pulses=await pulses.pulses(tx),
    )


async def _inbox(tx: Tx) -> list[Waiting]:
    rows = await tx.all(
        "SELECT channel, COUNT(*) AS n, MIN(received_at) AS oldest FROM inbox WHERE state = 'new' GROUP BY channel"
    )
    return [Waiting(row["channel"], row["n"], from_ms_or_none(row["oldest"])) for row in rows]


async def _inbox_dead(tx: Tx) -> dict[str, int]:
    rows = await tx.all("SELECT channel, COUNT(*) AS n FROM inbox WHERE state = 'dead' GROUP BY channel")
    return {row["channel"]: row["n"] for row in rows}


async def _outbox(tx: Tx, civil: datetime) -> list[Waiting]:
    rows = await tx.all(
        """SELECT c.channel, o.lane, o.state, COUNT(*) AS n, MIN(CASE WHEN o.due_at <= :at THEN o.due_at END) AS oldest
           FROM outbox o JOIN chats c ON c.id = o.chat_id WHERE o.state IN ('pending', 'sending')
           GROUP BY c.channel, o.lane, o.state""",
        {"at": to_ms(civil)},
    )
    return [
        Waiting(row["channel"], row["n"], from_ms_or_none(row["oldest"]), row["lane"], row["state"]) for row in rows
    ]


async def _missed(tx: Tx) -> list[Waiting]:
    rows = await tx.all(
        """SELECT c.channel, o.lane, o.state, COUNT(*) AS n FROM outbox o JOIN chats c ON c.id = o.chat_id
           WHERE o.state IN ('dead', 'uncertain') AND o.kind = 'send' GROUP BY c.channel, o.lane, o.state"""
    )
    return [Waiting(row["channel"], row["n"], None, row["lane"], row["state"]) for row in rows]


async def _appeals(tx: Tx) -> dict[str, int]:
    rows = await tx.all(
        f"""SELECT status, COUNT(*) AS n FROM appeals
            WHERE status IN {statuses(OPEN | {Status.RESOLVED})} AND sealed = 0 GROUP BY status"""
    )
    return {row["status"]: row["n"] for row in rows}


async def _overdue(tx: Tx, civil: datetime) -> int:
    row = await tx.one(
        f"SELECT COUNT(*) AS n FROM appeals WHERE status IN {statuses(RUNNING)} AND due_at < :at AND sealed = 0",
        {"at": to_ms(civil)},
    )
    return int(row["n"]) if row else 0
