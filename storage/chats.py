"""What becomes of a chat itself: the bot comes and goes, the platform gives it another id or name."""

from datetime import datetime

from storage import appeals, locks
from storage.database import Tx
from storage.values import to_ms


async def known(tx: Tx, channel: str, external_id: str) -> int | None:
    """The row id of a chat, under its present id or an earlier one."""
    row = await tx.one(
        """SELECT id FROM chats WHERE channel = :channel AND external_id = :id
           UNION ALL SELECT chat_id FROM chat_moves WHERE channel = :channel AND external_id = :id LIMIT 1""",
        {"channel": channel, "id": external_id},
    )
    return int(row["id"]) if row else None


async def move(tx: Tx, channel: str, old: str, new: str, at: datetime) -> bool:
    """Let a chat go on under the platform's new id, with all that is known of it; False where it does already.

    Whatever was met under the new id before anybody knew of the move gives way, and leaves behind what it was given.
    Messages of the old chat cannot be edited or replied to in the new one, where their ids belong to others.
    """
    await locks.queue_up(tx, f"moves of {channel}")  # both ends of a move may be told of at the same moment
    chat_id = await known(tx, channel, old)
    if chat_id is None or await known(tx, channel, new) == chat_id:
        return False
    names = {"channel": channel, "old": old, "new": new, "chat": chat_id, "at": to_ms(at)}
    await tx.run(
        """UPDATE outbox SET platform_id = 'moved:' || platform_id
           WHERE chat_id = :chat AND platform_id NOT LIKE 'moved:%'""",
        names,
    )
    await tx.run("UPDATE outbox SET reply_to = NULL WHERE chat_id = :chat AND reply_to IS NOT NULL", names)
    await tx.run("DELETE FROM outbox_parts WHERE chat_id = :chat", names)
    met = await tx.one("SELECT id FROM chats WHERE channel = :channel AND external_id = :new", names)
    if met is not None:
        await _give_way(tx, met["id"], chat_id)
    await tx.run("DELETE FROM chat_moves WHERE channel = :channel AND external_id = :new", names)
    await tx.run("UPDATE chats SET external_id = :new, reachable = 1, not_before = 0 WHERE id = :chat", names)
    await tx.run("INSERT INTO chat_moves VALUES (:channel, :old, :chat, :at) ON CONFLICT DO NOTHING", names)
    return True


async def _give_way(tx: Tx, met: int, chat_id: int) -> None:
    """A chat turns out to be another one: that one gets its approval, its firms, its matters and its messages."""
    both = {"met": met, "chat": chat_id}
    await tx.run(
        """UPDATE chats SET approved_at = COALESCE(approved_at, (SELECT m.approved_at FROM chats m WHERE m.id = :met)),
                            purpose = COALESCE(purpose, (SELECT m.purpose FROM chats m WHERE m.id = :met)),
                            asked_at = COALESCE(asked_at, (SELECT m.asked_at FROM chats m WHERE m.id = :met))
           WHERE id = :chat""",
        both,
    )
    await tx.run(
        """INSERT INTO chat_enterprises(chat_id, enterprise_id)
           SELECT :chat, enterprise_id FROM chat_enterprises WHERE chat_id = :met ON CONFLICT DO NOTHING""",
        both,
    )
    await appeals.follow_chat(tx, met, chat_id)
    await tx.run(
        """UPDATE outbox SET chat_id = :chat, seq = seq + (SELECT c.last_seq FROM chats c WHERE c.id = :chat)
           WHERE chat_id = :met""",
        both,
    )
    await tx.run("UPDATE outbox_parts SET chat_id = :chat WHERE chat_id = :met", both)
    await tx.run(
        """UPDATE chats SET last_seq = last_seq + (SELECT m.last_seq FROM chats m WHERE m.id = :met)
           WHERE id = :chat""",
        both,
    )
    await tx.run("UPDATE chat_moves SET chat_id = :chat WHERE chat_id = :met", both)
    await tx.run(
        """UPDATE chats SET external_id = 'gave way:' || id || ':' || external_id, reachable = 0, approved_at = NULL,
                            asked_at = NULL WHERE id = :met""",
        both,
    )


def before_the_move(platform_id: str) -> str:
    """How a message of a chat is known here that was named so before its platform moved the chat."""
    return f"moved:{platform_id}"


async def present(tx: Tx, chat_id: int) -> int:
    """The chat that goes on in place of one that gave way to it, or the chat itself."""
    row = await tx.one(
        """SELECT p.id FROM chats m JOIN chats p
               ON p.channel = m.channel AND m.external_id = 'gave way:' || m.id || ':' || p.external_id
           WHERE m.id = :id""",
        {"id": chat_id},
    )
    return int(row["id"]) if row else chat_id


async def lose(tx: Tx, channel: str, external_id: str) -> int | None:
    """The bot was put out or blocked: nothing arrives until somebody speaks there. The id of a chat that was known."""
    row = await tx.one(
        "UPDATE chats SET reachable = 0 WHERE channel = :channel AND external_id = :id RETURNING id",
        {"channel": channel, "id": external_id},
    )
    return int(row["id"]) if row else None


async def rename(tx: Tx, chat_id: int, name: str) -> None:
    """The group is called otherwise now."""
    await tx.run("UPDATE chats SET name = :name WHERE id = :id", {"id": chat_id, "name": name})


async def note_hearing(tx: Tx, chat_id: int, *, hears_all: bool) -> None:
    """Whether the bot is brought what people say here without speaking to it."""
    await tx.run("UPDATE chats SET hears_all = :all WHERE id = :id", {"id": chat_id, "all": int(hears_all)})


async def open_album(tx: Tx, chat_id: int, album: str) -> None:
    """Note that the first message of an album was for the bot, so that the others are as well."""
    await tx.run(
        "INSERT INTO albums(chat_id, album) VALUES (:chat, :album) ON CONFLICT DO NOTHING",
        {"chat": chat_id, "album": album},
    )


async def is_open_album(tx: Tx, chat_id: int, album: str) -> bool:
    """Whether an earlier message of this album was for the bot."""
    found = await tx.one("SELECT album FROM albums WHERE chat_id = :chat AND album = :album",
                         {"chat": chat_id, "album": album})  # fmt: skip
    return found is not None


async def set_album(tx: Tx, chat_id: int, album: str, appeal_id: int) -> None:
    """Note what the first message of an album was about."""
    await tx.run(
        "UPDATE albums SET appeal_id = :appeal WHERE chat_id = :chat AND album = :album",
        {"appeal": appeal_id, "chat": chat_id, "album": album},
    )


async def album_appeal(tx: Tx, chat_id: int, album: str) -> int | None:
    """The appeal to which an album belongs."""
    row = await tx.one(
        "SELECT appeal_id FROM albums WHERE chat_id = :chat AND album = :album", {"chat": chat_id, "album": album}
    )
    return row["appeal_id"] if row else None


async def follow_menu(tx: Tx, chat_id: int, menu: str) -> bool:
    """Note for whom the chat's list of commands is made; whether that is news."""
    return bool(
        await tx.run("UPDATE chats SET menu = :menu WHERE id = :id AND menu <> :menu", {"id": chat_id, "menu": menu})
    )


async def introduce(tx: Tx, channel: str, name: str, link: str) -> None:
    """How the bot is called on a platform, and where a person begins a private chat with it."""
    await tx.run(
        """INSERT INTO bots(channel, name, link) VALUES (:channel, :name, :link)
           ON CONFLICT (channel) DO UPDATE SET name = excluded.name, link = excluded.link""",
        {"channel": channel, "name": name, "link": link},
    )


async def bot_link(tx: Tx, channel: str) -> str:
    """Where a person begins a private chat with the bot; "" where the platform has not told yet."""
    row = await tx.one("SELECT link FROM bots WHERE channel = :channel", {"channel": channel})
    return str(row["link"]) if row else ""
