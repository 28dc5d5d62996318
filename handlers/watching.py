"""Watches the channels: tells the office, by another one, that a channel is silent or stuck, and when it is back."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.notices import Lane
from domain.people import Chat, Person, Purpose
from domain.rules import Rules
from domain.said import Button, Fact
from domain.silence import is_silent, is_stuck, stuck_since
from domain.verbs import Verb
from handlers.router import Buttons
from storage import listeners, outbox, people, pulses
from storage.database import Tx
from storage.pulses import INTAKE, OUTBOX, Backlog, Pulse, Silence

_WARNINGS: Mapping[str, str] = {INTAKE: "watch.silent", OUTBOX: "watch.stuck"}
_ENDS: Mapping[str, str] = {INTAKE: "watch.heard_again", OUTBOX: "watch.sent_again"}


@dataclass(frozen=True, slots=True)
class Sight:
    """What a process looks out for: the channels that are on, those of them whose silence means trouble, since when.

    `since` and `machine` are machine time, `civil` is when people are told.
    """

    on: Collection[str]
    listening: Collection[str]
    since: datetime
    machine: datetime
    civil: datetime


@dataclass(frozen=True, slots=True)
class Trouble:
    """A channel that is silent or stuck, since when, and how many messages wait there."""

    channel: str
    kind: str
    since: datetime
    waiting: int


async def find(tx: Tx, sight: Sight) -> list[Trouble]:
    """What is wrong with the channels now."""
    seen = await pulses.pulses(tx)
    waiting = await pulses.backlogs(tx, sight.on, sight.civil)
    found = [_silent(sight, name, seen.get(name, Pulse()), waiting.get(name)) for name in sorted(sight.listening)]
    found += [_stuck(sight, name, seen.get(name, Pulse()), backlog) for name, backlog in sorted(waiting.items())]
    return [trouble for trouble in found if trouble is not None]


def _silent(sight: Sight, channel: str, pulse: Pulse, waiting: Backlog | None) -> Trouble | None:
    if not is_silent(pulse.heard_at, sight.since, sight.machine):
        return None
    return Trouble(channel, INTAKE, pulse.heard_at or sight.since, waiting.count if waiting else 0)


def _stuck(sight: Sight, channel: str, pulse: Pulse, waiting: Backlog) -> Trouble | None:
    patience = sight.civil - waiting.oldest
    if not is_stuck(patience, pulse.delivered_at, sight.since, sight.machine):
        return None
    return Trouble(channel, OUTBOX, stuck_since(patience, pulse.delivered_at, sight.machine), waiting.count)


async def look(tx: Tx, rules: Rules, sight: Sight) -> None:
    """Tell of every silence once, when it is noted, and once when it is over; whichever process is first does so."""
    troubles = {(each.channel, each.kind): each for each in await find(tx, sight)}
    open_ = {(each.channel, each.kind): each for each in await pulses.silences(tx)}
    ailing = {channel for channel, _ in (*troubles, *open_)}
    for name, trouble in troubles.items():
        if name in open_:
            await pulses.wait_on(tx, open_[name], trouble.waiting)
            continue
        begun = await pulses.begin(tx, *name, trouble.since, sight.machine, trouble.waiting)
        if begun is not None:
            await _warn(tx, rules, sight, begun, ailing)
    for name, silence in open_.items():
        if name not in troubles and await _is_over(tx, sight, silence) and await pulses.end(tx, silence, sight.machine):
            await _all_clear(tx, rules, sight, silence, ailing)


async def _is_over(tx: Tx, sight: Sight, silence: Silence) -> bool:
    """Something came or left since, or the channel was switched off; a process that has just begun knows no better."""
    if silence.channel not in sight.on:
        return True
    pulse = (await pulses.pulses(tx)).get(silence.channel, Pulse())
    if silence.kind == INTAKE:
        return silence.channel not in sight.listening or _after(pulse.heard_at, silence.since)
    waiting = await pulses.backlogs(tx, [silence.channel], sight.civil)
    return not waiting or _after(pulse.delivered_at, silence.since)


def _after(moment: datetime | None, since: datetime) -> bool:
    return moment is not None and moment > since


async def _warn(tx: Tx, rules: Rules, sight: Sight, silence: Silence, ailing: Collection[str]) -> None:
    facts = _facts(silence, sight, silence.waited)
    await _tell(tx, rules, sight, (_WARNINGS[silence.kind], facts, f"silence:{silence.id}"), ailing)


async def _all_clear(tx: Tx, rules: Rules, sight: Sight, silence: Silence, ailing: Collection[str]) -> None:
    """Told where the warning was."""
    await pulses.withdraw(tx, silence)
    facts = _facts(silence, sight, silence.waited) | {"caught": await pulses.caught_up(tx, silence)}
    await _tell(tx, rules, sight, (_ENDS[silence.kind], facts, f"silence-over:{silence.id}"), ailing)


def _facts(silence: Silence, sight: Sight, waited: int) -> dict[str, Fact]:
    gone = sight.machine - silence.since
    minutes = max(1, round(gone / timedelta(minutes=1)))
    return {"channel": silence.channel, "at": sight.civil - gone, "minutes": minutes, "count": waited}


_MORE: Buttons = ((Button(Verb.UNDELIVERED),),)


async def _tell(
    tx: Tx, rules: Rules, sight: Sight, what: tuple[str, Mapping[str, Fact], str], ailing: Collection[str]
) -> None:
    """Owe a message to everybody of the office, in the next waking hour; working hours are not waited for."""
    key, facts, dedupe = what
    due = listeners.after_night(rules, sight.civil)
    for chat, person in await _places(tx, sight, ailing):
        letter = outbox.Letter(
            chat_id=chat.id,
            key=key,
            facts=facts,
            buttons=_MORE if person is not None else (),
            lane=Lane.CASE,
            person_id=person.id if person else None,
            dedupe=f"{dedupe}:{chat.id}",
        )
        await outbox.owe(tx, letter, at=sight.civil, due=due)


async def _places(tx: Tx, sight: Sight, ailing: Collection[str]) -> Sequence[tuple[Chat, Person | None]]:
    """The coordinators' chats on channels that are well, failing these the coordination groups there.

    Failing both the coordinators' chats wherever they are, as a channel that hears nothing may still speak.
    """
    everybody = await listeners.coordinators(tx, sight.civil)
    private = [(await _chat_of(tx, person, sight, ailing), person) for person in everybody]
    well: list[tuple[Chat, Person | None]] = [(chat, person) for chat, person in private if chat is not None]
    if well:
        return well
    groups = await people.groups_for(tx, Purpose.COORDINATION)
    well = [(group, None) for group in groups if group.channel in sight.on and group.channel not in ailing]
    if well:
        return well
    last = [(await _chat_of(tx, person, sight, ()), person) for person in everybody]
    return [(chat, person) for chat, person in last if chat is not None]


async def _chat_of(tx: Tx, person: Person, sight: Sight, ailing: Collection[str]) -> Chat | None:
    """His private chat on a channel that is on and well."""
    passed_over = set(ailing)
    while (chat := await people.private_chat(tx, person.id, passed_over)) is not None and chat.channel not in sight.on:
        passed_over.add(chat.channel)
    return chat
