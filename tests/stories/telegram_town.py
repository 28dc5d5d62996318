"""The town on Telegram: the same people talk through a server that behaves as Telegram's does, polled or called."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any, Literal

from starlette.applications import Starlette

from bot.app import App, Park
from bot.channel import Pace
from bot.channels.telegram import Account, TelegramChannel
from bot.civil import CivilClock
from bot.program import kits
from bot.web.server import serve
from domain.rules import Rules
from storage.database import Row
from tests import making
from tests.backends import open_house, table_names
from tests.emulators.telegram import Chat, Sent, TelegramEmulator, User
from tests.making import civil
from tests.stories.town import LADDERS, Said, Town, people_the_town
from texts import Catalogue

HOOK = "/channels/telegram/x7k2"
SECRET = "a-secret_of-the-webhook"
Mode = Literal["polling", "webhook"]


class TelegramTown(Town):
    """People by their names, each with a private chat that he has started; groups by theirs."""

    def __init__(self, app: App, channel: TelegramChannel, emulator: TelegramEmulator, hook: str = "") -> None:
        self.app = app
        self.hook = hook
        self.telegram = channel
        self.emulator = emulator
        self.said: list[Said] = []
        self.in_haste = False
        self.users: dict[str, User] = {}
        self.groups: dict[str, Chat] = {}
        self._told = 0
        self._house = AsyncExitStack()

    async def open_doors(self) -> None:
        """The channel receives from now on."""
        await self._house.enter_async_context(_running(self.app, self.telegram, self.hook))

    async def close_doors(self) -> None:
        """The channel receives nothing any more, and lets go of the network."""
        await self._house.aclose()

    async def restart(self) -> None:
        """Another process takes the place of this one, with nothing but the database."""
        await self.close_doors()
        account = self.telegram._account
        self.telegram = TelegramChannel(account, self.telegram._kit, pace=self.telegram.abilities.pace)
        park, database, clock = self.app.park, self.database, self.app.civil
        self.app = App(park, database, {"telegram": self.telegram}, civil=clock, machine=clock)
        await self.open_doors()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Hearing and sending go on by themselves, as they do in a running program."""
        async with asyncio.TaskGroup() as group:
            work = [group.create_task(each.run()) for each in (self.app.dispatcher, self.app.pump)]
            yield
            for task in work:
                task.cancel()

    async def move_in(self) -> None:
        """Everybody of the town gets an account, every group a chat, and the roster knows them by their ids."""
        people = await self.all("SELECT id, external_id FROM accounts WHERE channel = 'memory' ORDER BY id")
        for number, account in enumerate(people, start=5001):
            name = account["external_id"]
            self.users[name] = self.emulator.user(number, name, started=True)
            await self._rename("accounts", account["id"], number)
            await self._write(
                "UPDATE chats SET channel = 'telegram', external_id = :new WHERE external_id = :old",
                new=str(number),
                old=f"private:{name}",
            )
        for number, chat in enumerate(await self.all("SELECT id, name FROM chats WHERE channel = 'memory'"), start=1):
            chat_id = -1_000_000_000_000 - number
            self.groups[chat["name"]] = self.emulator.group(chat_id, chat["name"], bot="administrator")
            await self._rename("chats", chat["id"], chat_id)

    async def _rename(self, table: str, row_id: int, new: int) -> None:
        await self._write(
            f"UPDATE {table} SET channel = 'telegram', external_id = :new WHERE id = :id", new=str(new), id=row_id
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
        """Somebody writes, or presses a button under the message that he replies to."""
        chat = self.groups[where] if where else None
        answered = await self._platform_id(reply_to) if reply_to else None
        if button is not None:
            assert answered is not None
            await self.emulator.presses(self.users[who], answered, button, chat=chat)
        else:
            await self.emulator.says(self.users[who], text, chat=chat, reply_to=answered, **more)
        return await self.answered()

    async def hears(self, who: str, text: str = "", *, where: str = "", **more: Any) -> int:
        """Somebody writes, and it has come in; nobody has looked at it yet. The message's id."""
        chat = self.groups[where] if where else None
        message = await self.emulator.says(self.users[who], text, chat=chat, **more)
        await self.emulator.confirmed()
        return message

    def stranger(self, user_id: int, name: str, *, started: bool = False) -> User:
        """Somebody whom the roster does not know, or not by this account."""
        self.users[name] = self.emulator.user(user_id, name, started=started)
        return self.users[name]

    async def out_of_reach(self, name: str) -> None:
        """Somebody is in the roster by his id, and has never pressed Start."""
        self.users[name].started = False
        await self._write(
            """UPDATE chats SET heard_at = NULL, menu = '' WHERE external_id = :id AND private = 1""",
            id=str(self.users[name].id),
        )

    def calls(self, method: str, who: str = "") -> list[dict[str, Any]]:
        """The parameters of the calls of a method so far, of those that named a chat the ones that named this."""
        chat = self._chat_id(who)
        made = [call.params for call in self.emulator.calls if call.method == method]
        return [params for params in made if not who or params.get("chat_id") == chat]

    def got(self, who: str) -> list[Sent]:
        """What a person or group was sent, in order, edits aside."""
        chat = self._chat_id(who)
        return [sent for sent in self.emulator.sent if sent.chat_id == chat and not sent.method.startswith("edit")]

    def shown(self, who: str, message_id: int) -> list[str]:
        """The labels of the buttons that stand under a message now."""
        markup = self.emulator.chat(self._chat_id(who)).messages[message_id].get("reply_markup") or {}
        return [key["text"] for row in markup.get("inline_keyboard", ()) for key in row]

    def menu(self, who: str) -> list[str]:
        """The commands of the list that Telegram shows somebody in his private chat."""
        return [line["command"] for line in self.emulator.commands.get(f"chat:{self.users[who].id}", ())]

    def _chat_id(self, who: str) -> int:
        return self.groups[who].id if who in self.groups else self.users[who].id if who else 0

    async def everything(self, *but: str) -> dict[str, list[dict[str, Any]]]:
        """Every row of every table, but for some tables or columns (`table.column`)."""
        names = await self.app.database.reading(table_names)
        tables = {name: await self.all(f"SELECT * FROM {name}") for name in names if name not in but}
        return {
            table: [
                {key: value for key, value in dict(row).items() if f"{table}.{key}" not in but}
                for row in sorted(rows, key=repr)
            ]
            for table, rows in tables.items()
        }

    async def _platform_id(self, row_id: int) -> int:
        row = await self.one("SELECT platform_id FROM outbox WHERE id = :id", id=row_id)
        return int(row["platform_id"].partition("@")[0])

    async def settle(self) -> list[Said]:
        """All that was said has come in, was handled, and is answered."""
        before = len(self.said)
        await self.emulator.confirmed()
        await self.app.settle()
        await self._listen()
        return self.said[before:]

    async def _listen(self) -> None:
        new = self.emulator.sent[self._told :]
        self._told = len(self.emulator.sent)
        for sent in new:
            if not sent.method.startswith("edit"):
                self.said.append(await self._told_as(sent))

    async def _told_as(self, sent: Sent) -> Said:
        row = await self.one(
            """SELECT o.*, c.name FROM outbox o JOIN chats c ON c.id = o.chat_id
               WHERE c.external_id = :chat AND (o.platform_id = :id OR o.platform_id LIKE :id || '@%'
                     OR o.id IN (SELECT outbox_id FROM outbox_parts WHERE chat_id = c.id AND platform_id = :id))""",
            chat=str(sent.chat_id),
            id=str(sent.message_id),
        )
        return self._as_said(row, sent)

    def _as_said(self, row: Row, sent: Sent) -> Said:
        names = {user.id: name for name, user in self.users.items()}
        names |= {chat.id: name for name, chat in self.groups.items()}
        keys = [key for line in sent.buttons for key in line]
        return Said(
            time=self._shown(row["sent_at"]),
            listener=names.get(sent.chat_id, str(sent.chat_id)),
            key=row["text_key"],
            facts=self._facts(row),
            buttons=tuple(label for label, _ in keys),
            text=sent.text,
            id=row["id"],
            data=tuple(data for _, data in keys),
        )


@asynccontextmanager
async def telegram_town(
    mode: Mode = "polling",
    at: str = "2026-03-11 08:40",
    *,
    emulator: TelegramEmulator | None = None,
    rules: Rules | None = None,
    pace: Pace | None = None,
    clock: CivilClock | None = None,
) -> AsyncIterator[TelegramTown]:
    """The town with its bot running; with no `pace` it sends as fast as it can."""
    async with emulator or TelegramEmulator() as server:
        database = await open_house("sqlite:///:memory:")
        await database.transaction(people_the_town)
        park = Park(rules or making.make_rules(ladders=LADDERS), Catalogue.load(strict=True))
        hook = f"http://127.0.0.1:{free_port()}{HOOK}" if mode == "webhook" else ""
        account = Account(server.token, server.api_base, mode, hook, SECRET if hook else "")
        channel = TelegramChannel(account, kits(park, {"telegram": None})["telegram"], pace=pace)
        clock = clock or CivilClock(lambda: civil(at), civil(at), frozen=True)
        app = App(park, database, {"telegram": channel}, civil=clock, machine=clock)
        town = TelegramTown(app, channel, server, hook)
        await town.move_in()
        await town.open_doors()
        try:
            yield town
        finally:
            await town.close_doors()
        await database.close()
        assert server.offences == []


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


@asynccontextmanager
async def _running(app: App, channel: TelegramChannel, hook: str) -> AsyncIterator[None]:
    """The channel receives, by its own asking or at its own door; hearing and sending are the test's."""
    working = [asyncio.create_task(channel.run(app.desk))]
    if hook:
        web = Starlette(routes=list(channel.routes(app.desk)))
        door = int(hook.split(":")[2].partition("/")[0])
        working.append(asyncio.create_task(serve(web, "127.0.0.1", door, lambda _: None)))
    await until_ready(channel)
    try:
        yield
    finally:
        for task in working:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        await channel.close()


async def until_ready(channel: TelegramChannel) -> None:
    """Until the bot knows its own name."""
    async with asyncio.timeout(10):
        while not channel._intake.bot:  # noqa: ASYNC110 - nothing rings when it is told
            await asyncio.sleep(0.005)

