"""The embedded web chat as a channel: sending puts a post on the board; what people say comes by the HTTP server."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol

from bot.channel import Abilities, Desk, Parcel, PlainChannel
from bot.channels import Kit
from domain.chat import Attachment, Incoming

NAME = "web"


class Board(Protocol):
    """Where posts stand; each method is harmless when it is repeated for the same parcel."""

    async def post(self, parcel: Parcel) -> str:
        """Put the message up; its id. Undeliverable where there is no such chat."""
        ...

    async def change(self, parcel: Parcel) -> str:
        """Change the message `parcel.edits`; its id. Undeliverable where that is no message of the bot in this chat."""
        ...

    async def answer(self, parcel: Parcel) -> str:
        """Show the text for a moment to whoever pressed the button `parcel.reply_to`."""
        ...


ABILITIES = Abilities(buttons=True, edits=True, files=True, idempotent=True)


class WebChannel(PlainChannel):
    """Posts on the page; a post is unique by its outbox row, so sending twice shows once."""

    name = NAME
    abilities = ABILITIES

    def __init__(self, board: Board) -> None:
        self._board = board

    async def run(self, desk: Desk) -> None:
        """Nothing to wait for: the HTTP server commits what people say together with its post."""

    def read(self, body: Mapping[str, Any], at: datetime) -> Incoming | None:
        """What the chat page sent, as bot/web/board.py wrote it."""
        try:
            return Incoming(
                channel=NAME,
                account=NAME,
                chat=body["chat"],
                private=body["private"],
                message_id=body["message_id"],
                sender=body["sender"],
                sender_name=body["sender_name"],
                sent_at=at,
                text=body.get("text", ""),
                attachments=tuple(Attachment(**file) for file in body.get("attachments", ())),
                button=body.get("button"),
                answer_token=body.get("answer_token"),
                reply_to=body.get("reply_to"),
                addressed=body.get("addressed", False),
                chat_name=body.get("chat_name", ""),
            )
        except (KeyError, TypeError) as error:
            raise ValueError(f"no message of the web chat: {error}") from error

    async def send(self, parcel: Parcel) -> str:
        """Send, edit or answer; the post's id."""
        if parcel.kind == "edit":
            return await self._board.change(parcel)
        if parcel.kind == "answer":
            return await self._board.answer(parcel)
        return await self._board.post(parcel)


def make(kit: Kit) -> WebChannel:
    """The chat page of this program."""
    return WebChannel(kit.board)
