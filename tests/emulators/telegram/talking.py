"""The people of the emulator: what they say, send, press, and do to the bot."""

from typing import Any

from .core import Core, Message, Query, put_place, put_text
from .methods.asking import standing, status_of
from .methods.sending import media
from .privacy import hears
from .world import CHANNEL_BOT, GENERAL, GROUP_ANONYMOUS_BOT, MEMBERS, STAND_INS, Chat, Upload, User

FIRST_SUPERGROUP = -1002000000001


class Talking:
    """The side of the people; every act becomes the updates the platform would make of it."""

    core: Core

    def user(
        self, user_id: int, name: str, *, username: str | None = None, started: bool = False, language: str = "zh-hans"
    ) -> User:
        """A person; with `started` they have pressed Start, so the bot may write to them."""
        return self.core.world.add_user(User(user_id, name, username, language, started))

    def group(
        self,
        chat_id: int,
        title: str,
        *,
        kind: str = "supergroup",
        forum: bool = False,
        bot: str = "member",
        username: str | None = None,
    ) -> Chat:
        """A group or channel the bot stands in as administrator, member, restricted, left or kicked."""
        chat = Chat(chat_id, kind, title, username, forum, bot, last_id=GENERAL if forum else 0)
        self.core.world.chats[chat_id] = chat
        return chat

    def chat(self, chat_id: int) -> Chat:
        """The chat with an id; a person's private chat has the person's id."""
        return self.core.world.chats[chat_id]

    def topic(self, group: Chat, name: str) -> int:
        """A new topic of a forum; its thread id."""
        message = self.core.envelope(group)
        group.topics[message["message_id"]] = name
        message["forum_topic_created"] = {"name": name, "icon_color": 7322096}
        message |= {"message_thread_id": message["message_id"], "is_topic_message": True}
        self.publish(group, message | {"from": STAND_INS[GROUP_ANONYMOUS_BOT]})
        return int(message["message_id"])

    # ------------------------------------------------------------ saying

    async def says(
        self,
        user: User,
        text: str = "",
        *,
        chat: Chat | None = None,
        reply_to: int | None = None,
        thread: int | None = None,
        photo: bytes | None = None,
        document: tuple[str, bytes, str] | None = None,
        voice: bytes | None = None,
        caption: str | None = None,
        album: str | None = None,
        sender_chat: Chat | None = None,
        auto_start: bool = True,
        claimed_size: int | None = None,
    ) -> int:
        """One message of a person, to the bot or into a group; its message id.

        `claimed_size` (bytes) makes a file look larger than it is. `document` is (name, data, type).
        """
        place = self.place(user, chat, auto_start=auto_start)
        message = self.core.envelope(place)
        self.sign(message, user, place, sender_chat)
        put_place(message, place, thread, place.messages.get(reply_to) if reply_to is not None else None)
        upload = pack(photo, document, voice)
        if upload:
            message[upload.field] = media(self.core, upload.field, upload, size=claimed_size)
            if caption:
                put_text(message, caption, None, caption=True)
        else:
            put_text(message, text, None)
        if album is not None:
            message["media_group_id"] = album
        self.publish(place, message)
        return int(message["message_id"])

    async def album(
        self, user: User, photos: list[bytes], *, caption: str | None = None, chat: Chat | None = None
    ) -> list[int]:
        """Several photos at once, the caption on the first; their message ids."""
        self.core.albums += 1
        name = f"2{self.core.albums:017d}"
        found = []
        for index, photo in enumerate(photos):
            words = caption if index == 0 else None
            found.append(await self.says(user, photo=photo, caption=words, chat=chat, album=name))
        return found

    def place(self, user: User, chat: Chat | None, *, auto_start: bool = True) -> Chat:
        """Where a person speaks: the chat given, what it became, or the private one."""
        if chat is None or chat.id == user.id:
            if user.blocked:
                raise ValueError(f"{user.name} blocked the bot and cannot write to it")
            user.started = user.started or auto_start
            return self.core.world.chats[user.id]
        if chat.migrated_to is not None:
            chat = self.core.world.chats[chat.migrated_to]
        if chat.is_group:
            chat.members.setdefault(user.id, "member")
        return chat

    def sign(self, message: Message, user: User, place: Chat, sender_chat: Chat | None) -> None:
        """Write who speaks: the person; nobody in a channel; a stand-in where they speak as a group or channel."""
        if place.kind == "channel":
            message["sender_chat"] = place.json()
        elif sender_chat is None:
            message["from"] = user.json()
        else:
            stand_in = GROUP_ANONYMOUS_BOT if sender_chat.id == place.id else CHANNEL_BOT
            message |= {"from": STAND_INS[stand_in], "sender_chat": sender_chat.json()}

    def publish(self, chat: Chat, message: Message, *, edited: bool = False) -> None:
        """Put a message into its chat, and before the bot if it may hear it."""
        chat.messages[message["message_id"]] = message
        if hears(self.core, chat, message):
            kind = "channel_post" if chat.kind == "channel" else "message"
            self.core.announce(f"edited_{kind}" if edited else kind, message)

    async def edits(self, user: User, message_id: int, text: str, *, chat: Chat | None = None) -> None:
        """A person changes what they wrote, or the caption of what they sent."""
        place = self.place(user, chat, auto_start=False)
        message = dict(place.messages[message_id]) | {"edit_date": int(self.core.wall())}
        for name in ("entities", "caption_entities"):
            message.pop(name, None)
        put_text(message, text, None, caption="text" not in message)
        self.publish(place, message, edited=True)

    def deletes(self, message_id: int, chat: Chat | User) -> None:
        """A message disappears; the bot is not told."""
        self.core.world.chats[chat.id].messages.pop(message_id, None)

    async def presses(
        self, user: User, message_id: int, data: str, *, chat: Chat | None = None, inaccessible: bool = False
    ) -> str:
        """A person presses a button; the id of the query the bot should answer."""
        place = self.place(user, chat, auto_start=False)
        query_id = str(4_000_000_000_000 + len(self.core.queries))
        message = place.messages.get(message_id)
        if inaccessible or message is None:
            message = {"chat": place.json(), "message_id": message_id, "date": 0}
        self.core.queries[query_id] = Query(user.id, self.core.clock())
        query = {"id": query_id, "from": user.json(), "message": message, "data": data}
        self.core.announce("callback_query", query | {"chat_instance": str(place.id * 31)})
        return query_id

    def expire_queries(self) -> None:
        """Every press so far is too old to be answered."""
        for query in self.core.queries.values():
            query.open = False

    # ------------------------------------------------------------ standing

    async def blocks(self, user: User) -> None:
        """A person blocks the bot."""
        self.changes_private(user, "member", "kicked")
        user.blocked = True

    async def unblocks(self, user: User) -> None:
        """A person lets the bot write again."""
        user.blocked = False
        self.changes_private(user, "kicked", "member")

    def deactivate(self, user: User) -> None:
        """A person's account is gone."""
        user.deactivated = True

    def changes_private(self, user: User, old: str, new: str) -> None:
        """Tell the bot how it stands with a person."""
        self.core.world.chats[user.id].bot = new
        self.change("my_chat_member", self.core.world.chats[user.id], user, self.core.me["id"], old, new)

    def change(self, kind: str, chat: Chat, actor: User, who: int, old: str, new: str) -> None:
        """Announce a change of somebody's standing in a chat."""
        inner: dict[str, Any] = {"chat": chat.json(), "from": actor.json(), "date": int(self.core.wall())}
        inner["old_chat_member"] = standing(self.core, who, old)
        inner["new_chat_member"] = standing(self.core, who, new)
        self.core.announce(kind, inner)

    def service(self, chat: Chat, user: User, **content: Any) -> int:
        """A message of the platform about something a person did to a group."""
        message = self.core.envelope(chat) | {"from": user.json()} | content
        self.publish(chat, message)
        return int(message["message_id"])

    async def adds_bot(self, user: User, group: Chat, *, as_admin: bool = False) -> None:
        """A person takes the bot into a group."""
        old, group.bot = group.bot, "administrator" if as_admin else "member"
        group.members.setdefault(user.id, "administrator")
        self.change("my_chat_member", group, user, self.core.me["id"], old, group.bot)
        self.service(group, user, new_chat_members=[self.core.me], new_chat_member=self.core.me)

    async def removes_bot(self, user: User, group: Chat) -> None:
        """A person throws the bot out of a group."""
        if group.kind == "group":
            self.service(group, user, left_chat_member=self.core.me)
        old, group.bot = group.bot, "kicked"
        self.change("my_chat_member", group, user, self.core.me["id"], old, "kicked")

    async def promotes_bot(self, user: User, group: Chat, *, to: str = "administrator") -> None:
        """A person makes the bot an administrator, or (`to` member, restricted) takes that away."""
        old, group.bot = group.bot, to
        self.change("my_chat_member", group, user, self.core.me["id"], old, to)

    async def joins(self, user: User, group: Chat, *, status: str = "member", by: User | None = None) -> None:
        """A person comes into a group, or gets another standing there."""
        old, group.members[user.id] = status_of(self.core, group, user.id), status
        if group.bot == "administrator":
            self.change("chat_member", group, by or user, user.id, old, status)
        if old not in MEMBERS:
            self.service(group, by or user, new_chat_members=[user.json()], new_chat_member=user.json())

    async def leaves(self, user: User, group: Chat) -> None:
        """A person goes out of a group."""
        old, group.members[user.id] = status_of(self.core, group, user.id), "left"
        if group.bot == "administrator":
            self.change("chat_member", group, user, user.id, old, "left")
        self.service(group, user, left_chat_member=user.json())

    async def renames(self, group: Chat, title: str, *, by: User | None = None) -> None:
        """A group gets another name."""
        group.title, group.seen = title, None
        self.service(group, by or self.somebody(), new_chat_title=title)

    async def migrates(self, group: Chat, *, by: User | None = None) -> int:
        """A group becomes a supergroup with another id; the new id."""
        world = self.core.world
        new = Chat(FIRST_SUPERGROUP - world.migrations, "supergroup", group.title, bot=group.bot)
        world.migrations += 1
        new.members, new.bot_spoke_last = dict(group.members), group.bot_spoke_last
        world.chats[new.id] = new
        actor = by or self.somebody()
        self.service(group, actor, migrate_to_chat_id=new.id)
        self.service(new, actor, migrate_from_chat_id=group.id)
        group.migrated_to = new.id
        return new.id

    def somebody(self) -> User:
        """The one who did it where nobody is named."""
        return next(iter(self.core.world.users.values()), User(777000, "Telegram"))

    async def other_bot_speaks(self, group: Chat) -> None:
        """Another bot posts in a group; bots do not hear each other, but general commands go to that one now."""
        group.bot_spoke_last = False


def pack(photo: bytes | None, document: tuple[str, bytes, str] | None, voice: bytes | None) -> Upload | None:
    """The one file of a message."""
    if photo is not None:
        return Upload("photo", "photo.jpg", "image/jpeg", photo)
    if document is not None:
        name, data, content_type = document
        return Upload("document", name, content_type, data)
    if voice is not None:
        return Upload("voice", "voice.oga", "audio/ogg", voice)
    return None
