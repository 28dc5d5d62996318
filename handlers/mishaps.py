"""When lianqi itself fails: one apology to the speaker, one word to the office, nothing swallowed."""

from datetime import datetime

from domain.notices import Lane
from domain.rules import Rules
from storage import listeners, outbox, people
from storage.database import Tx
from storage.inbox import Entry


async def apologise(tx: Tx, entry: Entry, at: datetime) -> None:
    """Tell the speaker once that his message is kept and is tried again."""
    chat_id = await people.chat_known_as(tx, entry.chat_key)
    if chat_id is not None:
        letter = outbox.Letter(chat_id, "reply.trouble", lane=Lane.REPLY, dedupe=f"trouble:{entry.id}")
        await outbox.owe(tx, letter, at=at)


async def slow_down(tx: Tx, entry: Entry) -> None:
    """Tell somebody who says too much at once that the rest was left; nothing where the chat may not be spoken in."""
    chat_id = await people.chat_known_as(tx, entry.chat_key)
    if chat_id is None:
        return
    chat = await people.chat(tx, chat_id)
    if chat.private or chat.approved:
        letter = outbox.Letter(chat_id, "reply.too_fast", lane=Lane.REPLY, dedupe=f"too fast:{entry.id}")
        await outbox.owe(tx, letter, at=entry.received_at)


async def report_poison(tx: Tx, rules: Rules, entry: Entry, at: datetime) -> None:
    """Tell the coordinators that a message was set aside after five tries, and which."""
    for person in await listeners.coordinators(tx, at):
        chat = await people.private_chat(tx, person.id)
        if chat is None:
            continue
        letter = outbox.Letter(
            chat.id,
            "watch.poison",
            {"id": entry.id, "channel": entry.channel},
            person_id=person.id,
            dedupe=f"poison:{entry.id}:{person.id}",
        )
        await outbox.owe(tx, letter, at=at, due=listeners.audible(rules, person, at, urgent=False))
