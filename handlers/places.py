"""What happens to a chat itself: the bot is let in or put out, the platform moves or renames it, hears more or less."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from domain.chat import Event, Incoming
from domain.people import Chat
from domain.rules import Rules
from domain.said import Fact
from handlers import joining, vouching
from storage import chats, people
from storage.database import Tx

Happening = Callable[[Tx, Rules, Incoming, datetime], Awaitable[None]]


async def happen(tx: Tx, rules: Rules, message: Incoming, at: datetime) -> None:
    """Do what an event of a chat asks for; nobody has spoken, and nobody is answered."""
    assert message.event is not None  # the caller looked
    await _HAPPENINGS[message.event](tx, rules, message, at)


async def _added(tx: Tx, rules: Rules, message: Incoming, at: datetime) -> None:
    """The bot may speak here (again). A group that nobody let in is asked about, one that hears too little told of."""
    chat = await _enter(tx, message, at)
    if chat.private:
        return
    await chats.note_hearing(tx, chat.id, hears_all=message.hears_all)
    if not chat.approved:
        await joining.ask_about_group(tx, rules, chat, at)
    elif not message.hears_all:
        await _tell_office(tx, rules, "places.hears_little", {"group": _name(chat)}, at)
    elif not chat.hears_all:
        await _tell_office(tx, rules, "places.hears_all", {"group": _name(chat)}, at)


async def _removed(tx: Tx, rules: Rules, message: Incoming, at: datetime) -> None:
    """Put out of a group, or blocked by a person: what is owed to him takes another way from now on."""
    chat_id = await chats.lose(tx, message.channel, message.chat)
    if chat_id is None or message.private:
        return
    chat = await people.chat(tx, chat_id)
    if chat.approved:
        await _tell_office(tx, rules, "places.removed", {"group": _name(chat)}, at)


async def _moved(tx: Tx, rules: Rules, message: Incoming, at: datetime) -> None:
    await chats.move(tx, message.channel, message.chat, message.moved_to, at)


async def _renamed(tx: Tx, rules: Rules, message: Incoming, at: datetime) -> None:
    chat = await _enter(tx, message, at)
    await chats.rename(tx, chat.id, message.chat_name)


async def _enter(tx: Tx, message: Incoming, at: datetime) -> Chat:
    account_id = None
    if message.private:
        account_id = await people.meet(tx, message.channel, message.sender, message.sender_name)
    return await people.enter(
        tx,
        message.channel,
        message.chat,
        private=message.private,
        name=message.chat_name,
        account_id=account_id,
        at=at,
    )


async def _tell_office(tx: Tx, rules: Rules, key: str, facts: Mapping[str, Fact], at: datetime) -> None:
    for person in await vouching.coordinators(tx, at):
        await vouching.tell(tx, rules, person, key, facts, (), at)


def _name(chat: Chat) -> str:
    return chat.name or chat.external_id


_HAPPENINGS: Mapping[Event, Happening] = {
    Event.ADDED: _added,
    Event.REMOVED: _removed,
    Event.MOVED: _moved,
    Event.RENAMED: _renamed,
}
