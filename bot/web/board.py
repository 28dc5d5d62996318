"""The board of the web chat: posts of the bot from the pump, posts of people together with their inbox row."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.channel import Document, Key, Parcel, Undeliverable
from bot.web.bell import Bell
from domain.chat import Attachment
from storage import files, inbox, posts
from storage.database import Database, Tx
from storage.posts import TOAST, Draft, Room
from storage.sessions import CHANNEL, Account


@dataclass(frozen=True, slots=True)
class Saying:
    """What somebody sends from the page; `id` is the page's own, so that a resent form has one effect."""

    id: str
    text: str = ""
    files: tuple[Attachment, ...] = ()
    reply_to: int | None = None
    addressed: bool = False


class PostBoard:
    """Keeps posts in the database and rings `bell` after each commit; `now` is civil time."""

    def __init__(self, database: Database, bell: Bell, now: Callable[[], datetime]) -> None:
        self.bell = bell
        self._database = database
        self._now = now

    async def post(self, parcel: Parcel) -> str:
        """Put up a message of the bot; see Board."""

        async def unit(tx: Tx) -> str:
            tx.on_commit(self.bell.ring)
            return str(await _put_up(tx, parcel, self._now()))

        return await self._database.transaction(unit)

    async def change(self, parcel: Parcel) -> str:
        """Change a message of the bot; see Board."""
        target = _post_id(parcel.edits)

        async def unit(tx: Tx) -> bool:
            tx.on_commit(self.bell.ring)
            return await posts.rewrite(tx, parcel.chat_id, target, _body(parcel.text, parcel.keys, ()), self._now())

        if not await self._database.transaction(unit):
            raise Undeliverable(f"chat {parcel.chat_id} has no post {parcel.edits} to change")
        return str(target)

    async def answer(self, parcel: Parcel) -> str:
        """Answer a press; see Board."""

        async def unit(tx: Tx) -> str:
            account_id = await posts.presser(tx, parcel.reply_to or "")
            if account_id is None:
                raise Undeliverable(f"nobody pressed {parcel.reply_to}")
            tx.on_commit(self.bell.ring)
            body = _body(parcel.text, (), ())
            draft = Draft(parcel.chat_id, body, account_id, outbox_id=parcel.id, kind=TOAST)
            return str(await posts.write(tx, draft, self._now()))

        return await self._database.transaction(unit)

    async def say(self, account: Account, room: Room, saying: Saying) -> int:
        """Post what somebody said and put it into the inbox, in one transaction; the post's id, also when resent."""
        at = self._now()

        async def unit(tx: Tx) -> int:
            external_id = _external_id(account, saying.id)
            inbox_id = await inbox.keep(tx, CHANNEL, CHANNEL, external_id, room.external_id, {}, at)
            if inbox_id is None:
                return await posts.sent_before(tx, external_id) or 0
            body = _body(saying.text, (), saying.files)
            draft = Draft(room.id, body, account.id, inbox_id=inbox_id, reply_to=saying.reply_to, files=saying.files)
            post_id = await posts.write(tx, draft, at)
            await posts.fill(tx, inbox_id, _said(account, room, saying, post_id))
            await posts.mark(tx, account.id, room.id, post_id)
            tx.on_commit(self.bell.ring)
            return post_id

        return await self._database.transaction(unit)

    async def press(self, account: Account, room: Room, press_id: str, post_id: int, data: str) -> None:
        """Put a pressed button into the inbox; nothing is posted for it, and a resent press has no second effect."""
        at = self._now()

        async def unit(tx: Tx) -> None:
            token = _external_id(account, press_id)
            inbox_id = await inbox.keep(tx, CHANNEL, CHANNEL, token, room.external_id, {}, at)
            if inbox_id is not None:
                body = {**_spoken(account, room, post_id), "button": data, "answer_token": token, "addressed": True}
                await posts.fill(tx, inbox_id, body)

        await self._database.transaction(unit)


def _external_id(account: Account, page_id: str) -> str:
    """Ids made by pages count for their account alone, so that nobody can take another's."""
    return f"{account.id}:{page_id}"


def _post_id(platform_id: str | None) -> int:
    if platform_id is None or not (platform_id.isascii() and platform_id.isdigit()):
        raise Undeliverable(f"{platform_id} is no post of the web chat")
    return int(platform_id)


async def _put_up(tx: Tx, parcel: Parcel, at: datetime) -> int:
    if not await tx.one("SELECT id FROM chats WHERE id = :id", {"id": parcel.chat_id}):
        raise Undeliverable(f"there is no chat {parcel.chat_id}")
    kept = tuple([await _keep(tx, document, at) for document in parcel.documents])
    quoted = await _quoted(tx, parcel)
    draft = Draft(
        parcel.chat_id,
        _body(parcel.text, parcel.keys, kept),
        outbox_id=parcel.id,
        reply_to=quoted,
        files=kept,
    )
    return await posts.write(tx, draft, at)


async def _keep(tx: Tx, document: Document, at: datetime) -> Attachment:
    digest = await files.keep(tx, document.content, document.media_type, at)
    return Attachment(digest, document.name, document.media_type)


async def _quoted(tx: Tx, parcel: Parcel) -> int | None:
    """The post that is replied to, if it stands in the same chat."""
    wanted = parcel.reply_to or ""
    found = await posts.one(tx, int(wanted)) if wanted.isascii() and wanted.isdigit() else None
    return found.id if found and found.chat_id == parcel.chat_id else None


def _body(text: str, keys: tuple[tuple[Key, ...], ...], kept: tuple[Attachment, ...]) -> dict[str, Any]:
    return {
        "text": text,
        "keys": [[{"label": key.label, "data": key.data} for key in row] for row in keys],
        "files": [asdict(file) for file in kept],
    }


def _spoken(account: Account, room: Room, post_id: int) -> dict[str, Any]:
    """What every inbox body of the web chat has; WebChannel.read turns it into a message."""
    return {
        "chat": room.external_id,
        "chat_name": room.name,
        "private": room.private,
        "message_id": str(post_id),
        "sender": account.external_id,
        "sender_name": account.name,
    }


def _said(account: Account, room: Room, saying: Saying, post_id: int) -> dict[str, Any]:
    return {
        **_spoken(account, room, post_id),
        "text": saying.text,
        "attachments": [asdict(file) for file in saying.files],
        "reply_to": str(saying.reply_to) if saying.reply_to else None,
        "addressed": saying.addressed,
    }
