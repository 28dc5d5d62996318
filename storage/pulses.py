"""Signs of life of the channels: when a platform last answered, when a message last left; by machine time."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from storage.database import Row, Tx
from storage.values import from_ms, from_ms_or_none, one_of, to_ms, to_ms_or_none

HOUSE = ""
"""Stands in a channel's place for the house itself."""
INTAKE, OUTBOX = "intake", "outbox"
"""What can fall silent: what comes in, and what leaves."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """Of one channel; None where nobody has seen one so far."""

    heard_at: datetime | None = None
    delivered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silence:
    """One that was told and is not over; `waited` is how many messages waited at most."""

    id: int
    channel: str
    kind: str
    since: datetime
    last_inbox: int
    waited: int


@dataclass(frozen=True, slots=True)
class Backlog:
    """What may leave on a channel and has not: how many, and the oldest one's hour in civil time."""

    count: int
    oldest: datetime


_KEEP = """INSERT INTO pulses(channel, heard_at, delivered_at) VALUES (:channel, :heard, :delivered)
    ON CONFLICT (channel) DO UPDATE SET
        heard_at = CASE WHEN COALESCE(excluded.heard_at, 0) > COALESCE(pulses.heard_at, 0)
                   THEN excluded.heard_at ELSE pulses.heard_at END,
        delivered_at = CASE WHEN COALESCE(excluded.delivered_at, 0) > COALESCE(pulses.delivered_at, 0)
                       THEN excluded.delivered_at ELSE pulses.delivered_at END"""


async def keep(tx: Tx, seen: Mapping[str, Pulse]) -> None:
    """Note what this process has seen; what another has seen later stays."""
    for channel, pulse in sorted(seen.items()):
        moments = {"heard": to_ms_or_none(pulse.heard_at), "delivered": to_ms_or_none(pulse.delivered_at)}
        await tx.run(_KEEP, {"channel": channel, **moments})


async def pulses(tx: Tx) -> dict[str, Pulse]:
    """The newest of every channel, whichever process saw it."""
    rows = await tx.all("SELECT * FROM pulses")
    return {
        row["channel"]: Pulse(from_ms_or_none(row["heard_at"]), from_ms_or_none(row["delivered_at"])) for row in rows
    }


async def touch(tx: Tx, machine: datetime) -> None:
    """Write something that harms nobody: the house itself is alive."""
    await keep(tx, {HOUSE: Pulse(machine)})


async def backlogs(tx: Tx, channels: Collection[str], civil: datetime) -> dict[str, Backlog]:
    """The channels on which something waits whose hour has come."""
    listed, names = one_of("channel", channels)
    rows = await tx.all(
        f"""SELECT c.channel, COUNT(*) AS n, MIN(o.due_at) AS oldest FROM outbox o JOIN chats c ON c.id = o.chat_id
            WHERE o.state IN ('pending', 'sending') AND o.due_at <= :civil AND c.channel IN ({listed})
            GROUP BY c.channel""",
        {**names, "civil": to_ms(civil)},
    )
    return {row["channel"]: Backlog(row["n"], from_ms(row["oldest"])) for row in rows}


# Silences -----------------------------------------------------------------------------------------------------------
async def silences(tx: Tx) -> list[Silence]:
    """Those that are not over."""
    return [_silence(row) for row in await tx.all("SELECT * FROM silences WHERE over_at IS NULL ORDER BY id")]


async def begin(
    tx: Tx, channel: str, kind: str, since: datetime, machine: datetime, waited: int
) -> Silence | None:
    """Note a silence; None where one is noted already, by whichever process."""
    row = await tx.one(
        """INSERT INTO silences(channel, kind, since, told_at, last_inbox, waited)
           VALUES (:channel, :kind, :since, :told, (SELECT COALESCE(MAX(id), 0) FROM inbox), :waited)
           ON CONFLICT DO NOTHING RETURNING *""",
        {"channel": channel, "kind": kind, "since": to_ms(since), "told": to_ms(machine), "waited": waited},
    )
    return _silence(row) if row else None


async def wait_on(tx: Tx, silence: Silence, waiting: int) -> None:
    """It goes on, and so many messages wait now."""
    await tx.run("UPDATE silences SET waited = :n WHERE id = :id AND waited < :n", {"id": silence.id, "n": waiting})


async def end(tx: Tx, silence: Silence, machine: datetime) -> bool:
    """It is over; False where another process has seen to that."""
    ended = await tx.run(
        "UPDATE silences SET over_at = :at WHERE id = :id AND over_at IS NULL",
        {"id": silence.id, "at": to_ms(machine)},
    )
    return ended == 1


async def caught_up(tx: Tx, silence: Silence) -> int:
    """How many updates the channel has brought since the silence was noted."""
    row = await tx.one(
        "SELECT COUNT(*) AS n FROM inbox WHERE id > :last AND channel = :channel",
        {"last": silence.last_inbox, "channel": silence.channel},
    )
    return int(row["n"]) if row else 0


async def withdraw(tx: Tx, silence: Silence) -> None:
    """Of a silence that is over nobody need be warned any more: drop the warnings that have not left."""
    await tx.run(
        """UPDATE outbox SET state = 'superseded', error = 'over before it left'
           WHERE state = 'pending' AND text_key IN ('watch.silent', 'watch.stuck')
             AND dedupe_key LIKE :mine""",
        {"mine": f"silence:{silence.id}:%"},
    )


def _silence(row: Row) -> Silence:
    kept: Mapping[str, Any] = {name: row[name] for name in ("id", "channel", "kind", "last_inbox", "waited")}
    return Silence(since=from_ms(row["since"]), **kept)
