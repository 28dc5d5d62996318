"""Who and what exists around the bot: people, groups, and the messages that they see."""

from dataclasses import dataclass, field
from typing import Any

from .cards import Buttons, Card, buttons, card_text
from .codes import UNREACHABLE, Refused
from .media import File
from .reading import plain


@dataclass(slots=True)
class Group:
    """An internal group. `spoken`: somebody has called the bot here, so it may speak unasked."""

    id: str
    name: str
    members: list[str]
    bot: bool = True
    spoken: bool = False


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message of a person. `parts`: (kind, words or file), one, or several where text and pictures are mixed."""

    msgid: str
    user: str
    chat: str | None
    parts: tuple[tuple[str, str | File], ...]


@dataclass(slots=True)
class Visible:
    """A message of the bot as it stands in a chat. `chat`: a group's id or a person's userid, `at`: seconds.

    `kind`: markdown, text, stream, template_card, file, image, voice or video. `cmd`: the command that brought it.
    `answers`: the msgid of the callback that it replies to. `cards`: what single persons see instead of `card`.
    """

    number: int
    chat: str
    private: bool
    kind: str
    cmd: str
    at: float
    source: str = ""
    card: Card | None = None
    file: File | None = None
    answers: str | None = None
    finished: bool = True
    cards: dict[str, Card] = field(default_factory=dict)
    updates: int = 0

    @property
    def text(self) -> str:
        """What is read: markdown without its marks, a card's lines; a file's name."""
        return self.seen_by("")

    @property
    def buttons(self) -> Buttons:
        """(label, key) of what can be pressed."""
        return self.buttons_for("")

    @property
    def task_id(self) -> str | None:
        """The id of a card."""
        return (self.card or {}).get("task_id")

    def seen_by(self, user: str) -> str:
        """What one person reads."""
        if self.file is not None:
            return self.file.name
        if self.card is not None:
            return card_text(self.cards.get(user, self.card))
        return self.source if self.kind == "text" else plain(self.source)

    def buttons_for(self, user: str) -> Buttons:
        """What one person can press."""
        return buttons(self.cards.get(user, self.card)) if self.card is not None else ()


@dataclass(slots=True)
class World:
    """People by userid, groups by chatid, and all that the bot said, in order."""

    users: dict[str, str] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    wrote: set[str] = field(default_factory=set)
    visible: list[Visible] = field(default_factory=list)

    def show(self, chat: str, private: bool, kind: str, cmd: str, at: float, **more: Any) -> Visible:
        """A message appears."""
        self.visible.append(Visible(len(self.visible) + 1, chat, private, kind, cmd, at, **more))
        return self.visible[-1]

    def in_chat(self, chat: str) -> list[Visible]:
        """What stands in a chat, oldest first."""
        return [one for one in self.visible if one.chat == chat]

    def reach(self, chat: str, chat_type: int) -> bool:
        """Whether a pushed message goes to a person (else to a group); 93006 where nobody ever wrote to the bot."""
        group = self.groups.get(chat) if chat_type in (0, 2) else None
        if group is not None and group.bot and group.spoken:
            return False
        if group is None and chat_type in (0, 1) and chat in self.wrote:
            return True
        raise Refused(UNREACHABLE)
