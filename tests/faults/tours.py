"""What people do on three platforms, recorded as the platforms tell it: raw updates, each to be brought again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bot.app import App
from bot.channel import Update
from bot.web.bell import Bell
from bot.web.board import PostBoard, Saying
from storage.database import Database, Tx
from storage.posts import Room
from storage.sessions import Account
from tests.stories.telegram_town import telegram_town
from tests.stories.town import Town
from tests.stories.wecom_town import wecom_town

BOSS, CLERK, OTHER, LIAISON, OFFICE = "张建国", "张会计", "陈和顺", "王敏", "周芳"
GROUP = "宏达机械联企群"
AT = "2026-03-11 09:00"
PHOTO = b"\xff\xd8 a picture of the transformer"

Bring = Callable[[App], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Recorded:
    """One update: the chat in whose order it stands, and how it comes in; it may come in again."""

    chat: str
    bring: Bring


@dataclass(frozen=True, slots=True)
class Tour:
    """A house as it was before, a file's content, and what came in."""

    channel: str
    before: bytes
    updates: Sequence[Recorded]


async def image(database: Database) -> bytes:
    """The content of a database in memory."""

    async def unit(tx: Tx) -> bytes:
        content: bytes = tx._connection.serialize()  # type: ignore[attr-defined]  # of the SQLite backend alone
        return content

    return await database.reading(unit)


@asynccontextmanager
async def recording(app: App, kept: list[Recorded]) -> AsyncIterator[None]:
    """Keep every update that comes to the desk."""
    receive = app.desk.receive

    async def spy(channel: str, account: str, updates: Sequence[Update], **more: Any) -> None:
        kept.extend(Recorded(update.chat, _bringing(channel, account, update)) for update in updates)
        await receive(channel, account, updates, **more)

    app.desk.receive = spy  # type: ignore[method-assign]  # the channel knows this desk already
    yield
    app.desk.receive = receive  # type: ignore[method-assign]  # as it was before


def _bringing(channel: str, account: str, update: Update) -> Bring:
    async def bring(app: App) -> None:
        await app.desk.receive(channel, account, [update])

    return bring


async def on_telegram() -> Tour:
    """A matter with its edit, picture and buttons; people and names that come and go; a rework; a return.

    What stands near a picture does not depend on it: while it is fetched, other chats go on.
    """
    kept: list[Recorded] = []
    async with telegram_town(at=AT) as town:
        await town.settle()
        before = await image(town.database)
        async with recording(town.app, kept):
            group, boss = town.groups[GROUP], town.users[BOSS]
            first = await town.hears(BOSS, "/诉求 车间电压低，一天跳停三次", where=GROUP)
            await town.answered()
            await town.emulator.edits(boss, first, "/诉求 车间电压低，一天跳停五次", chat=group)
            await town.answered()
            await town.presses(LIAISON, "接单")
            await town.says(LIAISON, "已联系")
            await town.emulator.joins(town.stranger(9001, "新来的"), group)
            await town.emulator.renames(group, "宏达机械的群")
            await town.answered()
            await town.says(CLERK, "我的")
            await town.says(BOSS, photo=PHOTO, caption="补充 现场照片")
            await town.says(BOSS, "进度 1")
            await town.says(BOSS, "我的")
            await town.says(OTHER, "我的")
            await town.says(LIAISON, "进展 已到现场")
            await town.says(CLERK, "补充 1 三号线最重")
            await _finish_twice(town)
            await town.says(OTHER, "诉求")
            await town.says(OTHER, "厂门口积水")
            await town.says(LIAISON, "退单 2 待定 不归我管")
            await town.says(OTHER, photo=PHOTO, caption="诉求 门口路灯不亮")
    return Tour("telegram", before, kept)


async def on_wecom() -> Tour:
    """The same on enterprise WeChat, with cards."""
    kept: list[Recorded] = []
    async with wecom_town(at=AT) as town:
        await town.settle()
        before = await image(town.database)
        async with recording(town.app, kept):
            await town.says(BOSS, "诉求 车间电压低，一天跳停三次")
            await town.presses(LIAISON, "接单")
            await town.says(LIAISON, "已联系")
            await town.says(BOSS, "补充 夜班也停")
            await town.says(LIAISON, "进展 已到现场")
            await _finish_twice(town)
            await town.says(OTHER, "诉求 门口路灯不亮")
            await town.says(OFFICE, "待办")
    return Tour("wecom_aibot", before, kept)


async def _finish_twice(town: Town) -> None:
    await town.says(LIAISON, "办结 1 已换变压器")
    await town.says(BOSS, "不满意 1 下午还是跳闸")
    await town.says(LIAISON, "接单 1")
    await town.says(LIAISON, "办结 1 两台都换了")
    await town.says(BOSS, "满意 1")


async def on_the_web() -> Tour:
    """The same on the chat page, whose forms are resent by browsers."""
    town = await Town.open(at=AT)
    await town.database.transaction(_move_to_the_web)
    accounts = await town.all("SELECT id, name FROM accounts")
    who = {row["name"]: Account(row["id"], row["name"], row["name"]) for row in accounts}
    rooms = {
        row["external_id"]: Room(row["id"], row["external_id"], bool(row["private"]), row["name"], None, 0, 0)
        for row in await town.all("SELECT * FROM chats WHERE channel = 'web'")
    }
    script = [
        (BOSS, GROUP, "/诉求 车间电压低，一天跳停三次"),
        (LIAISON, "", "acknowledge:1:"),
        (LIAISON, "", "已联系"),
        (BOSS, "", "补充 夜班也停"),
        (LIAISON, "", "进展 已到现场"),
        (LIAISON, "", "办结 1 已换变压器"),
        (BOSS, "", "满意 1"),
        (OTHER, "", "诉求 门口路灯不亮"),
        (OFFICE, "", "待办"),
        (CLERK, "", "我的"),
        (LIAISON, "", "退单 2 待定 不归我管"),
    ]
    updates = []
    for number, (name, where, text) in enumerate(script):
        room = rooms[f"group:{where}" if where else f"private:{name}"]
        updates.append(Recorded(room.external_id, _posting(who[name], room, f"form-{number}", text)))
    before = await image(town.database)
    await town.close()
    return Tour("web", before, updates)


def _posting(account: Account, room: Room, form: str, text: str) -> Bring:
    async def bring(app: App) -> None:
        board = PostBoard(app.database, Bell(), app.civil)
        if text.endswith(":"):
            await board.press(account, room, form, 1, text)
        else:
            await board.say(account, room, Saying(form, text))

    return bring


async def _move_to_the_web(tx: Tx) -> None:
    for table in ("accounts", "chats"):
        await tx.run(f"UPDATE {table} SET channel = 'web' WHERE channel = 'memory'")


TOURS: Mapping[str, Callable[[], Awaitable[Tour]]] = {
    "telegram": on_telegram,
    "wecom": on_wecom,
    "web": on_the_web,
}
