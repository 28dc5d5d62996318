"""A house in trouble: what is owed in it, a channel at work, a script that strikes, and what must be true then."""

from __future__ import annotations

import asyncio
import re
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.channel import Update
from bot.deliver import Pump
from bot.desk import FrontDesk
from domain.notices import Lane
from storage import outbox
from storage.database import Row, Tx
from tests.backends import open_house
from tests.bot.posthouse import CATALOGUE, RULES, no_documents
from tests.emulators.faulty import CONNECT, Call, Trouble
from tests.emulators.pushed import BEGIN, UnhurriedDatabase, let_pass, seconds
from tests.faults.scenes import SCENES, SICK, WORD, Arrival, Scene, most_within
from tests.faults.scripts import Blow, Script, Verdict, paths
from tests.making import civil

MORNING = civil("2026-03-11 09:00")
LOAD = {Lane.REPLY: 2, Lane.CASE: 2, Lane.DIGEST: 1, Lane.BROADCAST: 1}
"""How many messages of each lane each chat is owed."""
MUST_ARRIVE = (Lane.REPLY, Lane.CASE)
SOON = 15.0
"""Seconds within which a chat without a trouble has got all of that; at one a second it takes six."""
MOST_TRIES = 8
TOLD_WITHIN = 400.0
"""Seconds after which what was said has come in, through the slowest of answers."""
OFFSET = re.compile(r'"offset": (\d+)')


def now() -> datetime:
    """All clocks of the house."""
    return MORNING + timedelta(seconds=seconds() - BEGIN)


class WatchedDesk(FrontDesk):
    """The desk, which also knows what it has kept."""

    kept: set[int]

    async def receive(self, channel: str, account: str, updates: Sequence[Update], *, once: str = "") -> None:
        """Commit it, and note that it is committed."""
        await super().receive(channel, account, updates, once=once)
        self.kept |= {int(update.external_id) for update in updates if update.external_id.isdigit()}


@dataclass
class House:
    """A pump, a channel, and what is owed: the words of each lane of each chat, in order, with their rows.

    `said` are the updates that people made, `asked_early` what was confirmed to the platform before it was kept.
    """

    scene: Scene
    script: Script
    database: UnhurriedDatabase
    desk: WatchedDesk
    chats: dict[str, int]
    pump: Pump
    blows: dict[Trouble, Blow] = field(default_factory=dict)
    owed: dict[tuple[str, Lane], list[str]] = field(default_factory=lambda: defaultdict(list))
    rows: dict[str, int] = field(default_factory=dict)
    struck_at: float = 0.0
    opening: asyncio.Task[None] | None = None
    said: list[int] = field(default_factory=list)
    asked_early: list[str] = field(default_factory=list)

    async def owe(self, load: Mapping[Lane, int]) -> list[str]:
        """So many messages more in every chat; their words."""
        new: list[str] = []
        at = now()

        async def unit(tx: Tx) -> None:
            for name in self.chats:
                for lane, count in load.items():
                    for _ in range(count):
                        word = f"{name}{lane.name}{len(self.owed[name, lane])}"
                        facts = {"chat": word, "cause": "-"}
                        letter = outbox.Letter(self.chats[name], "watch.undelivered", facts, lane=lane)
                        row = await outbox.owe(tx, letter, at=at)
                        assert row is not None
                        self.rows[word] = row
                        self.owed[name, lane].append(word)
                        new.append(word)

        await self.database.transaction(unit)
        self.pump.wake()
        return new

    def strike(self) -> None:
        """The script begins."""
        scene, script = self.scene, self.script
        needle = scene.chats[SICK].needle if script.one else ""
        needle = f"{SICK}{script.lane}0" if script.lane else needle
        for blow, path in zip(script.blows, paths(script, scene.send), strict=True):
            trouble = replace(blow.trouble, path=path, words=blow.trouble.words or needle)
            self.blows[trouble] = blow
            scene.line.suffer([trouble])
        if script.revoke:
            scene.revoke(script.revoke)
        if script.shut:
            scene.line.shut()
            asyncio.get_running_loop().call_later(script.shut, _reopen, self)
        self.struck_at = seconds()

    async def all(self, sql: str) -> Sequence[Row]:
        """All rows of a query."""
        return await self.database.reading(lambda tx: tx.all(sql, {}))

    async def until_done(self, most: float) -> None:
        """Until nothing waits to leave any more."""
        async with asyncio.timeout(most):
            while await self.all("SELECT id FROM outbox WHERE state IN ('pending', 'sending') LIMIT 1"):
                await let_pass(0.5)

    async def states(self) -> dict[str, str]:
        """What became of each word."""
        found = {row["id"]: row["state"] for row in await self.all("SELECT id, state FROM outbox")}
        return {word: found[row] for word, row in self.rows.items()}

    @property
    def tries(self) -> Sequence[tuple[str, Call]]:
        """The calls that were to bring a message, with its word."""
        calls = [call for call in self.scene.line.calls if self.scene.send in call.path]
        return [(found[0], call) for call in calls if (found := WORD.search(call.said))]

    def blow_to(self, call: Call) -> Blow | None:
        """What it met, if anything."""
        return self.blows[call.trouble] if call.trouble is not None else None

    def doubtful(self, call: Call) -> bool:
        """Whether nobody who stands on this side can tell what became of it."""
        blow = self.blow_to(call)
        return blow.verdict is Verdict.DOUBT if blow else not call.answered

    async def talk(self) -> None:
        """Everybody says something to the bot, where the platform keeps it for as long as it cannot bring it."""
        emulator = self.scene.telegram
        if emulator is None:
            return
        for user in list(emulator.world.users.values()):
            await emulator.says(user, f"said {len(self.said)}")
            self.said.append(emulator.core.updates.next_id - 1)

    def watch_polls(self, call: Call) -> None:
        """What is confirmed by asking for the next must be kept by then."""
        if self.scene.telegram is None or "getUpdates" not in call.path:
            return
        asked = OFFSET.search(call.said)
        lost = [number for number in self.said if asked and number < int(asked[1]) and number not in self.desk.kept]
        if lost:
            self.asked_early.append(f"confirmed before it was kept: {lost}")


def _reopen(house: House) -> None:
    house.opening = asyncio.ensure_future(house.scene.line.open())


@asynccontextmanager
async def house_of(script: Script) -> AsyncIterator[House]:
    """The house with its channel at work, receiving and sending by themselves as in a running program."""
    database = UnhurriedDatabase(await open_house("sqlite:///:memory:"))
    async with SCENES[script.channel]() as scene:
        channel = scene.channel
        chats = await let_in(database, scene)
        desk = WatchedDesk(database, now, lambda: None)
        desk.kept = set()
        pump = Pump(database, RULES, CATALOGUE, {channel.name: channel}, no_documents, civil=now, machine=now)
        house = House(scene, script, database, desk, chats, pump)
        scene.line.heed = house.watch_polls
        if script.starting:
            house.strike()
        work = [asyncio.create_task(channel.run(desk)), asyncio.create_task(pump.run())]
        try:
            yield house
            assert not any(task.done() for task in work), "the program has ended by itself"
        finally:
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            await channel.close()
    await database.close()


async def let_in(database: UnhurriedDatabase, scene: Scene) -> dict[str, int]:
    """The chats of the scene, each approved; their rows."""
    found: dict[str, int] = {}

    async def unit(tx: Tx) -> None:
        for name, chat in scene.chats.items():
            row = await tx.one(
                """INSERT INTO chats(channel, external_id, private, name, approved_at)
                   VALUES (:c, :id, :private, :name, 0) RETURNING id""",
                {"c": scene.channel.name, "id": chat.id, "private": int(chat.private), "name": name},
            )
            assert row is not None
            found[name] = row["id"]

    await database.transaction(unit)
    return found


# What must be true afterwards --------------------------------------------------------------------------------------
async def check(house: House) -> None:
    """Every criterion, by what the platform has seen and the line has carried."""
    states = await house.states()
    arrivals = house.scene.arrivals()
    tries: dict[str, list[Call]] = defaultdict(list)
    for word, call in house.tries:
        tries[word].append(call)
    counts = Counter(arrival.word for arrival in arrivals)
    for word, state in states.items():
        check_word(house, word, state, counts[word], tries[word])
    check_order(house, arrivals)
    check_peace(house)
    check_tokens(house)
    await check_pace(house)
    await check_intake(house)
    check_blows(house)
    assert house.scene.offences() == []


def check_word(house: House, word: str, state: str, arrived: int, tries: Sequence[Call]) -> None:
    """Nothing is lost; nothing comes twice but what was in doubt, and that once more; nobody tries without end."""
    lane = Lane[word[2:].rstrip("0123456789")]
    doubts = [call for call in tries if house.doubtful(call)]
    blows = [blow for call in tries if (blow := house.blow_to(call))]
    repeats = house.scene.channel.abilities.idempotent
    told = f"{word}: {state}, arrived {arrived} times, tried {len(tries)} times, doubtful {len(doubts)} times"
    assert len(tries) <= MOST_TRIES, told
    if any(blow.verdict is Verdict.NEVER for blow in blows):
        assert (state, arrived) == ("dead", 0), told
    elif repeats or not doubts:
        assert (state, arrived) == ("sent", 1), told
    elif not any(house.blow_to(call) for call in doubts) and state == "sent":
        assert 1 <= arrived <= 2, told  # what was under way beside it
    elif lane in MUST_ARRIVE and len(doubts) == 1:
        assert state == "sent", told
        assert 1 <= arrived <= 2, told
    else:
        assert state == "uncertain" or (lane in MUST_ARRIVE and state == "sent" and arrived), told
        assert arrived <= 2 if lane in MUST_ARRIVE else (arrived <= 1 and tries[-1] is doubts[0]), told
    assert max(arrived - 1, 0) <= sum(call.landed for call in doubts), told


def check_order(house: House, arrivals: Sequence[Arrival]) -> None:
    """What first arrived in each lane of each chat did so in the order in which it was owed."""
    for (chat, _), words in house.owed.items():
        seen = dict.fromkeys(each.word for each in arrivals if each.chat == chat and each.word in words)
        assert list(seen) == [word for word in words if word in seen]


def check_peace(house: House) -> None:
    """Nobody was spoken to before the time for which the platform had asked for peace."""
    for word, call in house.tries:
        blow = house.blow_to(call)
        if blow is None or not blow.asks:
            continue
        ends = call.at + blow.asks
        early = [
            f"{other} at {later.at:.3f}, {word} was refused at {call.at:.3f} for {blow.asks:g} s"
            for other, later in house.tries
            if call.at < later.at < ends and (blow.of_all or other[:2] == word[:2])
        ]
        assert early == []


def check_tokens(house: House) -> None:
    """A token that is over is asked for once, whoever finds out, and once more for each time that this failed."""
    asked = sum("gettoken" in call.path for call in house.scene.line.calls)
    assert house.script.tokens in (None, asked)


async def check_pace(house: House) -> None:
    """Who fails tries again, and again ever more seldom; and not all chats at the same moment."""
    failed = [call for call in house.scene.line.calls if call.trouble is not None and WORD.search(call.said) is None]
    for path in {call.path for call in failed}:
        assert most_within([call.at for call in failed if call.path == path], 1.0) <= 3, path
    if house.script.spread:
        tried = await house.all("SELECT retry_at FROM outbox WHERE attempts = 1")
        assert len({row["retry_at"] for row in tried}) >= 3


async def check_intake(house: House) -> None:
    """All that was said is in the inbox, once, and nothing of it was confirmed before."""
    found = [int(row["external_id"]) for row in await house.all("SELECT external_id FROM inbox ORDER BY id")]
    assert found == house.said
    assert house.asked_early == []


def check_blows(house: House) -> None:
    """The script was played: each blow struck as often as it was to."""
    struck = Counter(call.trouble for call in house.scene.line.calls if call.trouble is not None)
    for trouble in house.blows:
        if trouble.path != CONNECT:
            assert struck[trouble] >= (trouble.times or 1), (trouble, struck)


def check_others(house: House, arrivals: Sequence[Arrival], words: Sequence[str]) -> None:
    """The chats that had no trouble got all of theirs as soon as ever."""
    at = {arrival.word: arrival.at for arrival in arrivals}
    slow = [word for word in words if not word.startswith(SICK) and at[word] > house.struck_at + SOON]
    assert slow == []


async def play(script: Script) -> None:
    """One trial: strike, let the program go on by itself, and see that all is well, also for what is owed later."""
    async with house_of(script) as house:
        if not script.starting:
            await until_ready(house)
            house.strike()
        words = await house.owe(LOAD)
        await house.talk()
        await let_pass(2)
        await house.talk()
        await house.until_done(script.most)
        await until_struck(house)
        await house.until_done(script.most)
        if script.one:
            check_others(house, house.scene.arrivals(), words)
        await house.owe(dict.fromkeys(MUST_ARRIVE, 1))
        await house.talk()
        await house.until_done(30.0)
        await until_struck(house)
        await check(house)


async def until_struck(house: House) -> None:
    """Until every trouble that is counted was met, and what people said has come in."""
    async with asyncio.timeout(TOLD_WITHIN):
        while not house.scene.line.quiet:
            await let_pass(1)
        if house.scene.telegram is not None:
            await house.scene.telegram.confirmed(TOLD_WITHIN)


async def until_ready(house: House) -> None:
    """Until messages can leave."""
    async with asyncio.timeout(60):
        while not house.scene.channel.here:
            await let_pass(0.1)
    await let_pass(0.5)
