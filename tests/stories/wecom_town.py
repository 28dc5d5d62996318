"""The town on enterprise WeChat: the same people talk to a smart bot over a server that behaves as WeCom's does."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from bot.app import App, Park
from bot.channel import Pace, Parcel, Uncertain
from bot.channels.wecom_aibot import WecomAibotChannel
from bot.channels.wecom_aibot.connection import Account, Timing
from bot.civil import CivilClock
from bot.program import kits
from domain.rules import Rules
from tests import making
from tests.backends import open_house
from tests.emulators.wecom.aibot import AibotEmulator, Visible, plain
from tests.making import civil
from tests.stories.town import LADDERS, Said, Town, people_the_town
from texts import Catalogue

CHANNEL = "wecom_aibot"
TO_WRITE = "\n\n请回复其中一句：\n"


@dataclass(slots=True)
class Letter:
    """A row of the outbox as it stands in a chat: its messages, text before card before files."""

    row: int
    chat: str
    seen: list[Visible] = field(default_factory=list)

    @property
    def card(self) -> Visible | None:
        """The message with the buttons."""
        return next((one for one in self.seen if one.card is not None), None)

    @property
    def text(self) -> str:
        """The words; of a card that only follows them, none."""
        told = [one for one in self.seen if one.file is None]
        before = [one.text for one in told if one.card is None]
        return "\n".join(before) if before else "\n".join(one.text for one in told)


class WatchedChannel(WecomAibotChannel):
    """The channel, which message of the platform came of which row, and how often it could not tell."""

    def __init__(self, emulator: AibotEmulator, *parts: Any, **more: Any) -> None:
        super().__init__(*parts, **more)
        self.emulator = emulator
        self.letters: dict[int, Letter] = {}
        self.doubts: Counter[int] = Counter()
        self.known: set[int] = set()

    async def send(self, parcel: Parcel) -> str:
        """Send, and look at what stands in the chat now."""
        try:
            name = await super().send(parcel)
        except Uncertain:
            self.doubts[parcel.id] += 1
            raise
        if parcel.kind != "edit":
            letter = self.letters.setdefault(parcel.id, Letter(parcel.id, parcel.chat))
            letter.seen.append(self.found(parcel, name))
        return name

    def found(self, parcel: Parcel, name: str) -> Visible:
        """The message that a part has become: the newest in its chat that fits and is no other's."""
        for one in reversed(self.emulator.seen(parcel.chat)):
            if one.number not in self.known and self.fits(parcel, name, one):
                self.known.add(one.number)
                return one
        raise AssertionError(f"nobody sees {parcel.text or parcel.documents}")

    def fits(self, parcel: Parcel, name: str, one: Visible) -> bool:
        """Whether a message may have come of a part."""
        if parcel.keys:
            return one.task_id == name
        if parcel.doubts and one.card is not None:  # repeated as a card, or announced by one
            return (parcel.text or parcel.documents[0].name).partition("\n")[0][:30] in one.text
        if parcel.documents:
            return one.file is not None and one.file.name == parcel.documents[0].name
        return one.card is None and one.text == plain(parcel.text)


class WecomTown(Town):
    """People by their names, each with a userid, who has written to the bot before; groups where it was called."""

    def __init__(self, app: App, channel: WatchedChannel, emulator: AibotEmulator) -> None:
        self.app = app
        self.wecom = channel
        self.emulator = emulator
        self.said: list[Said] = []
        self.in_haste = False
        self.users: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self._told: set[int] = set()
        self._house = AsyncExitStack()

    async def open_doors(self) -> None:
        """The channel is connected from now on."""
        await self._house.enter_async_context(_running(self.app, self.wecom))

    async def close_doors(self) -> None:
        """The channel lets go of its connection."""
        await self._house.aclose()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Hearing and sending go on by themselves, as they do in a running program."""
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(each.run()) for each in (self.app.dispatcher, self.app.pump)]
            yield
            for task in work:
                task.cancel()

    async def move_in(self) -> None:
        """Everybody of the town gets a userid, every group a chatid, and the roster knows them by these."""
        people = await self.all("SELECT id, external_id FROM accounts WHERE channel = 'memory' ORDER BY id")
        for number, account in enumerate(people, start=5001):
            name, userid = account["external_id"], f"User{number}"
            self.users[name] = self.emulator.user(userid, name, wrote=True)
            await self._rename("accounts", account["id"], userid)
            await self._write(
                f"UPDATE chats SET channel = '{CHANNEL}', external_id = :new WHERE external_id = :old",
                new=userid,
                old=f"private:{name}",
            )
        for number, chat in enumerate(await self.all("SELECT id, name FROM chats WHERE channel = 'memory'"), start=1):
            chatid = f"wrGroup{number}AbC"
            self.groups[chat["name"]] = self.emulator.group(chatid, chat["name"], spoken=True).id
            await self._rename("chats", chat["id"], chatid)

    async def _rename(self, table: str, row_id: int, new: str) -> None:
        await self._write(
            f"UPDATE {table} SET channel = '{CHANNEL}', external_id = :new WHERE id = :id", new=new, id=row_id
        )

    async def _write(self, sql: str, **params: Any) -> None:
        await self.database.transaction(lambda tx: tx.run(sql, params))

    async def says(
        self,
        who: str,
        text: str = "",
        *,
        where: str = "",
        button: str | None = None,
        reply_to: int | None = None,
        **more: Any,
    ) -> list[Said]:
        """Somebody writes, quoting the message that he replies to, or presses a button of it."""
        letter = self.wecom.letters[reply_to] if reply_to else None
        if button is not None:
            assert letter is not None
            assert letter.card is not None
            await self.emulator.presses(self.users[who], letter.card, button)
        else:
            quote = letter.seen[0] if letter else None
            chat = self.groups[where] if where else None
            await self.emulator.says(self.users[who], text, chat=chat, quote=quote, **more)
        return await self.answered()

    async def types(self, who: str, label: str) -> list[Said]:
        """Write the words that stand under the newest message for a button of that name that there is not."""
        for said in reversed(self.said):
            line = next((one for one in choices(said.text) if one.startswith(label)), None)
            if said.listener == who and line is not None:
                return await self.says(who, line.partition("　")[0])
        raise AssertionError(f"{who} was told nothing to write for {label}")

    async def wait(self, *, hours: float = 0, days: float = 0, until: str | None = None) -> list[Said]:
        """Push time; the channel, whose seconds are those of the machine, learns that those to answer in are over."""
        self.wecom._handles._cards.clear()
        return await super().wait(hours=hours, days=days, until=until)

    def seen(self, who: str) -> list[Visible]:
        """What stands in somebody's private chat, or in a group."""
        return self.emulator.seen(self.groups.get(who) or self.users[who])

    async def taken_in(self) -> None:
        """All that was said so far is in the inbox: frames keep their order, so a ping's answer comes behind them."""
        async with asyncio.timeout(10):
            if self.wecom._line.connection is not None:
                await self.wecom._line.connection.ask("ping", seconds=5.0)
            while waiting := list(self.wecom._intake._last.values()):
                await asyncio.wait(waiting)
                await asyncio.sleep(0)

    async def settle(self) -> list[Said]:
        """All that was said has come in, was handled, and is answered."""
        before = len(self.said)
        await self.taken_in()
        await self.app.settle()
        await self._listen()
        return self.said[before:]

    async def _listen(self) -> None:
        for row, letter in self.wecom.letters.items():
            if row not in self._told:
                self._told.add(row)
                self.said.append(await self._as_said(letter))

    async def _as_said(self, letter: Letter) -> Said:
        row = await self.one("SELECT * FROM outbox WHERE id = :id", id=letter.row)
        assert row["state"] == "sent", row["state"]
        names = {userid: name for name, userid in self.users.items()}
        names |= {chatid: name for name, chatid in self.groups.items()}
        buttons = letter.card.buttons if letter.card else ()
        return Said(
            time=self._shown(row["sent_at"]),
            listener=names.get(letter.chat, letter.chat),
            key=row["text_key"],
            facts=self._facts(row),
            buttons=tuple(label for label, _ in buttons),
            text=letter.text,
            id=letter.row,
            data=tuple(data for _, data in buttons),
        )


def choices(text: str) -> list[str]:
    """What may be written instead of pressing: the lines under a message's last line of all."""
    return text.partition(TO_WRITE)[2].split("\n") if TO_WRITE in text else []


@asynccontextmanager
async def wecom_town(
    at: str = "2026-03-11 08:40",
    *,
    emulator: AibotEmulator | None = None,
    rules: Rules | None = None,
    pace: Pace | None = None,
    clock: CivilClock | None = None,
    timing: Timing | None = None,
) -> AsyncIterator[WecomTown]:
    """The town with its bot connected; with no `pace` it sends as fast as it can."""
    clock = clock or CivilClock(lambda: civil(at), civil(at), frozen=True)
    async with emulator or AibotEmulator(clock=lambda: clock().timestamp()) as server:
        database = await open_house("sqlite:///:memory:")
        await database.transaction(people_the_town)
        park = Park(rules or making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))
        account = Account(server.bot_id, server.secret, server.name, server.url)
        channel = WatchedChannel(server, account, kits(park, {CHANNEL: None})[CHANNEL], pace=pace, timing=timing)
        app = App(park, database, {CHANNEL: channel}, civil=clock, machine=clock)
        town = WecomTown(app, channel, server)
        await town.move_in()
        await town.open_doors()
        try:
            yield town
        finally:
            await town.close_doors()
        await database.close()
        assert server.offences == []


@asynccontextmanager
async def _running(app: App, channel: WatchedChannel) -> AsyncIterator[None]:
    """The channel is connected; hearing and sending are the test's."""
    working = asyncio.create_task(channel.run(app.desk))
    await until_here(channel)
    try:
        yield
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working
        await channel.close()


async def until_here(channel: WatchedChannel) -> None:
    """Until messages can leave."""
    async with asyncio.timeout(10):
        while not channel.here:  # noqa: ASYNC110 - nothing rings when it is connected
            await asyncio.sleep(0.005)
