"""What people do: they write, send pictures, quote, press buttons, come in."""

import secrets
from collections.abc import Sequence
from typing import Any

from .core import Callback, Core
from .media import File
from .server import Server
from .world import Group, Spoken, Visible

ALONE = ("image", "voice", "file", "video")
Part = tuple[str, str | File]


class Talking:
    """The people around the bot."""

    core: Core
    server: Server

    def user(self, userid: str, name: str = "", *, wrote: bool = False) -> str:
        """Somebody of the organisation; `wrote`: the bot may speak to him already. His userid."""
        self.core.world.users[userid] = name or userid
        if wrote:
            self.core.world.wrote.add(userid)
        return userid

    def group(self, chatid: str, name: str, *members: str, spoken: bool = False, bot: bool = True) -> Group:
        """An internal group; `spoken`: the bot was called there before."""
        self.core.world.groups[chatid] = Group(chatid, name, list(members), bot, spoken)
        return self.core.world.groups[chatid]

    async def says(
        self,
        user: str,
        text: str = "",
        *,
        chat: str | None = None,
        at_bot: bool = True,
        images: Sequence[bytes] = (),
        file: tuple[str, bytes] | None = None,
        voice: str | None = None,
        video: bytes | None = None,
        quote: Spoken | Visible | None = None,
    ) -> Spoken:
        """Somebody writes, privately or in the group `chat`; the bot hears of it if the platform would tell.

        In a group that is only what calls the bot (`at_bot`), and never a picture, file or voice alone: those are
        there to be quoted. `voice` is the text that the platform makes of it.
        """
        assert user in self.core.world.users, user
        parts = parts_of(text, images, file, voice, video)
        kind = "mixed" if len(parts) > 1 else parts[0][0]
        if chat is not None and at_bot and kind in ("text", "mixed"):
            parts = ((parts[0][0], f"@{self.core.name} {parts[0][1]}"), *parts[1:])
        spoken = Spoken(self.core.new_id("msg"), user, chat, parts)
        if chat is None:
            self.core.world.wrote.add(user)
        elif not self.calls(chat, kind, at_bot=at_bot):
            return spoken
        body = self.envelope(spoken.msgid, user, chat) | {"msgtype": kind, **self.spell(kind, parts)}
        if quote is not None:
            body["quote"] = self.quoted(quote)
        await self.announce("message", user, chat, body)
        return spoken

    def calls(self, chat: str, kind: str, *, at_bot: bool) -> bool:
        """Whether the bot hears a message of a group."""
        group = self.core.world.groups[chat]
        if not at_bot or kind in ALONE or not group.bot:
            return False
        group.spoken = True
        return True

    async def presses(
        self, user: str, message: Visible, key: str, selected: dict[str, Sequence[str]] | None = None
    ) -> str:
        """Somebody presses a button of a card, by its key; the msgid of the event."""
        shown = message.buttons_for(user)
        assert key in [one for _, one in shown], f"{key} is not among {shown}"
        card = message.cards.get(user, message.card) or {}
        event: dict[str, Any] = {"card_type": card["card_type"], "event_key": key, "task_id": message.task_id}
        if selected:
            items = [{"question_key": name, "option_ids": {"option_id": list(ids)}} for name, ids in selected.items()]
            event["selected_items"] = {"selected_item": items}
        chat = None if message.private else message.chat
        return await self.happens("template_card_event", user, chat, event, message)

    async def enters(self, user: str) -> str:
        """Somebody opens the private chat, the first time that day; the msgid of the event."""
        return await self.happens("enter_chat", user, None, None)

    async def rates(self, user: str, message: Visible, verdict: int) -> str:
        """Somebody gives feedback (1 good, 2 bad, 3 taken back); the msgid of the event."""
        chat = None if message.private else message.chat
        return await self.happens("feedback_event", user, chat, {"id": "", "type": verdict})

    async def happens(
        self, kind: str, user: str, chat: str | None, detail: dict[str, Any] | None, card: Visible | None = None
    ) -> str:
        """An event of a chat comes."""
        body = self.envelope(self.core.new_id("evt"), user, chat)
        body |= {"create_time": int(self.core.now()), "msgtype": "event", "event": {"eventtype": kind}}
        if detail is not None:
            body["event"][kind] = detail
        await self.announce(kind, user, chat, body, card)
        return str(body["msgid"])

    # ------------------------------------------------------------ frames

    def envelope(self, msgid: str, user: str, chat: str | None) -> dict[str, Any]:
        """What every callback has."""
        found: dict[str, Any] = {"msgid": msgid, "aibotid": self.core.bot_id, "from": {"userid": user}}
        if chat is not None:
            found["chatid"] = chat
        return found | {"chattype": "single" if chat is None else "group"}

    def spell(self, kind: str, parts: Sequence[Part]) -> dict[str, Any]:
        """The part of a body that its msgtype names."""
        if kind != "mixed":
            return {kind: self.spell_one(*parts[0])}
        return {"mixed": {"msg_item": [{"msgtype": name, name: self.spell_one(name, what)} for name, what in parts]}}

    def spell_one(self, kind: str, what: str | File) -> dict[str, Any]:
        """Words, or an enciphered file behind a link that lives five minutes."""
        if isinstance(what, str):
            return {"content": what}
        name, key = self.core.media.put(what, self.core.now())
        return {"url": self.server.link(name), "aeskey": key}

    def quoted(self, quote: Spoken | Visible) -> dict[str, Any]:
        """What a quote tells: the content, no id of the message. What the bot wrote is text."""
        if isinstance(quote, Visible):
            if quote.file is not None:
                kind = quote.file.kind
                return {"msgtype": kind, kind: self.spell_one(kind, quote.file)}
            return {"msgtype": "text", "text": {"content": quote.text}}
        kind = "mixed" if len(quote.parts) > 1 else quote.parts[0][0]
        return {"msgtype": kind, **self.spell(kind, quote.parts)}

    async def announce(
        self, kind: str, user: str, chat: str | None, body: dict[str, Any], card: Visible | None = None
    ) -> None:
        """Tell the bot: once, or twice where callbacks are doubled; kept or lost where it is not there."""
        for _ in range(2 if self.core.faults.duplicate() else 1):
            await self.deliver(kind, user, chat, body, card)

    async def deliver(
        self, kind: str, user: str, chat: str | None, body: dict[str, Any], card: Visible | None = None
    ) -> None:
        """One callback frame, on the connection that is the bot's now."""
        connection = self.server.bot
        if connection is None or connection.silent or connection.closed or connection.forgotten:
            if self.core.faults.hold:
                self.server.held.append(lambda: self.deliver(kind, user, chat, body, card))
            else:
                self.core.lost.append(body["msgid"])
            return
        req_id = secrets.token_urlsafe(16)
        now = self.core.now()
        self.core.callbacks[req_id] = Callback(kind, connection.number, now, body["msgid"], user, chat, card)
        cmd = "aibot_msg_callback" if kind == "message" else "aibot_event_callback"
        if await connection.say({"cmd": cmd, "headers": {"req_id": req_id}, "body": body}):
            self.core.heard.append(body["msgid"])
        else:
            self.core.lost.append(body["msgid"])
        self.core.ring()


def parts_of(
    text: str, images: Sequence[bytes], file: tuple[str, bytes] | None, voice: str | None, video: bytes | None
) -> tuple[Part, ...]:
    """What a message is made of."""
    if file is not None:
        return (("file", File("file", *file)),)
    if voice is not None:
        return (("voice", voice),)
    if video is not None:
        return (("video", File("video", "", video)),)
    pictures: tuple[Part, ...] = tuple(("image", File("image", "", one)) for one in images)
    return pictures if pictures and not text and len(pictures) == 1 else (("text", text), *pictures)
