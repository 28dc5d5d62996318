"""Who and what exists on the platform: people, chats, messages, topics and files."""

from dataclasses import dataclass, field
from typing import Any

from .errors import bad, forbidden

GROUP_ANONYMOUS_BOT = 1087968824
CHANNEL_BOT = 136817688
STAND_INS: dict[int, dict[str, Any]] = {
    GROUP_ANONYMOUS_BOT: {
        "id": GROUP_ANONYMOUS_BOT,
        "is_bot": True,
        "first_name": "Group",
        "username": "GroupAnonymousBot",
    },
    CHANNEL_BOT: {"id": CHANNEL_BOT, "is_bot": True, "first_name": "Channel", "username": "Channel_Bot"},
}
GENERAL = 1
MEMBERS = ("creator", "administrator", "member", "restricted")


@dataclass(slots=True)
class User:
    """A person; `started` once the bot may write to them."""

    id: int
    name: str
    username: str | None = None
    language: str = "zh-hans"
    started: bool = False
    blocked: bool = False
    deactivated: bool = False

    def json(self) -> dict[str, Any]:
        """The User object."""
        found: dict[str, Any] = {"id": self.id, "is_bot": False, "first_name": self.name}
        if self.username:
            found["username"] = self.username
        found["language_code"] = self.language
        return found


@dataclass(slots=True)
class Chat:
    """A chat; a private one has the id of its person. `bot` is the bot's own standing in it."""

    id: int
    kind: str
    title: str = ""
    username: str | None = None
    forum: bool = False
    bot: str = "left"
    members: dict[int, str] = field(default_factory=dict)
    messages: dict[int, dict[str, Any]] = field(default_factory=dict)
    topics: dict[int, str] = field(default_factory=dict)
    migrated_to: int | None = None
    bot_spoke_last: bool = False
    last_id: int = 0
    seen: dict[str, Any] | None = None

    def json(self) -> dict[str, Any]:
        """The Chat object as it stands inside messages; kept until the chat changes."""
        if self.seen is None:
            found: dict[str, Any] = {"id": self.id, "type": self.kind}
            found["first_name" if self.kind == "private" else "title"] = self.title
            if self.username:
                found["username"] = self.username
            if self.forum:
                found["is_forum"] = True
            self.seen = found
        return self.seen

    @property
    def is_group(self) -> bool:
        """A group of either kind."""
        return self.kind in ("group", "supergroup")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file somebody sent; `field` is the parameter it came under."""

    field: str
    filename: str
    content_type: str
    data: bytes


@dataclass(slots=True)
class Stored:
    """A file the platform keeps; `size` may be claimed larger than the data to test limits."""

    file_id: str
    path: str
    data: bytes
    content_type: str
    size: int


class World:
    """All of it, with the ids it hands out."""

    def __init__(self, bot: dict[str, Any]) -> None:
        self.bot = bot
        self.users: dict[int, User] = {}
        self.chats: dict[int, Chat] = {}
        self.files: dict[str, Stored] = {}
        self.paths: dict[str, Stored] = {}
        self.last_id = 0
        self.migrations = 0

    def next_id(self, chat: Chat) -> int:
        """A message id: supergroups and channels count for themselves, all other chats together."""
        if chat.kind in ("supergroup", "channel"):
            chat.last_id += 1
            return chat.last_id
        self.last_id += 1
        return self.last_id

    def add_user(self, user: User) -> User:
        """Let a person exist, together with the chat they have with the bot."""
        self.users[user.id] = user
        bot = "member" if user.started else "left"
        self.chats[user.id] = Chat(user.id, "private", user.name, user.username, bot=bot)
        return user

    def find(self, chat_id: int | str) -> Chat:
        """The chat a call names by id or @username; refused if there is none, or if it became a supergroup."""
        chat = self.by_name(chat_id) if isinstance(chat_id, str) else self.chats.get(chat_id)
        if chat is None:
            raise bad("chat not found")
        if chat.migrated_to is not None:
            reason = "group chat was upgraded to a supergroup chat"
            raise bad(reason, migrate_to_chat_id=chat.migrated_to)
        return chat

    def by_name(self, name: str) -> Chat | None:
        """A chat by the text of its id or by its public @name; people are not found by name."""
        if name.lstrip("-").isdecimal():
            return self.chats.get(int(name))
        wanted = name.removeprefix("@").lower()
        public = (chat for chat in self.chats.values() if chat.kind != "private")
        return next((chat for chat in public if (chat.username or "").lower() == wanted), None)

    def writable(self, chat_id: int | str) -> Chat:
        """The chat, if the bot may write there."""
        chat = self.find(chat_id)
        if chat.kind == "private":
            self.check_person(chat)
        else:
            check_standing(chat)
        return chat

    def check_person(self, chat: Chat) -> None:
        """Refuse where a person cannot be written to."""
        user = self.users[chat.id]
        if user.deactivated:
            raise forbidden("user is deactivated")
        if user.blocked:
            raise forbidden("bot was blocked by the user")
        if not user.started:
            raise forbidden("bot can't initiate conversation with a user")

    def person(self, user_id: int) -> dict[str, Any]:
        """The User object of anybody who may appear as a sender."""
        if user_id == self.bot["id"]:
            return self.bot
        if user_id in STAND_INS:
            return STAND_INS[user_id]
        return self.users[user_id].json()

    def keep(self, folder: str, upload: Upload, *, size: int | None = None) -> Stored:
        """Store a file under a new id."""
        number = len(self.files)
        ending = upload.filename.rpartition(".")[2] if "." in upload.filename else "bin"
        file_id = f"{folder}-{number}-{'A' * 40}"
        claimed = len(upload.data) if size is None else size
        stored = Stored(file_id, f"{folder}/file_{number}.{ending}", upload.data, upload.content_type, claimed)
        self.files[file_id] = self.paths[stored.path] = stored
        return stored


def check_standing(chat: Chat) -> None:
    """Refuse where the bot is not in a group or channel any more."""
    name = f"{chat.kind} chat"
    if chat.bot == "kicked":
        raise forbidden(f"bot was kicked from the {name}")
    if chat.bot not in MEMBERS:
        raise forbidden(f"bot is not a member of the {name}")
    if chat.kind == "channel" and chat.bot != "administrator":
        raise bad("need administrator rights in the channel chat")
