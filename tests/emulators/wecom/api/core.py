"""The platform's state around one self-built app and the group robots: members, tokens, media, what was sent."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from secrets import token_urlsafe
from typing import Any

from .errors import Refused
from .faults import Faults
from .limits import MEMBER, ROBOT, Flood

TOKEN_SECONDS = 7200
MEDIA_SECONDS = 3 * 24 * 3600
CODE_SECONDS = 300
RESPONSE_SECONDS = 72 * 3600


@dataclass(slots=True)
class Member:
    """Somebody of the corporation; the app reaches him while he is `visible` to it."""

    id: str
    name: str
    visible: bool = True


@dataclass(frozen=True, slots=True)
class Sent:
    """One message/send that took effect: `to` whom it was shown, `dropped` to whom not, as they had too many."""

    id: str
    kind: str
    content: dict[str, Any]
    to: tuple[str, ...]
    dropped: tuple[str, ...]
    at: float
    raw: bytes
    response_code: str = ""

    @property
    def text(self) -> str:
        """The words of a text or markdown; of a card its lines."""
        if self.kind != "template_card":
            return str(self.content.get("content", ""))
        title = self.content.get("main_title", {})
        return "\n".join(filter(None, (title.get("title"), title.get("desc"), self.content.get("sub_title_text"))))

    @property
    def buttons(self) -> list[tuple[str, str]]:
        """(label, key) of a card's buttons."""
        return [(button["text"], button["key"]) for button in self.content.get("button_list", ())]


@dataclass(frozen=True, slots=True)
class Post:
    """What a group robot said."""

    key: str
    kind: str
    text: str
    mentioned: tuple[str, ...]
    at: float


@dataclass(frozen=True, slots=True)
class Media:
    """A kept file."""

    name: str
    media_type: str
    content: bytes
    at: float


@dataclass(frozen=True, slots=True)
class Call:
    """One call as it was answered; errcode None is no answer at all."""

    path: str
    body: bytes
    errcode: int | None


@dataclass(slots=True)
class Response:
    """The card behind a response_code."""

    sent: str
    at: float
    used: bool = False


@dataclass(slots=True)
class Core:
    """Everything that the calls and the people of the emulator share."""

    corp_id: str = "ww1234567890abcdef"
    secret: str = "app-secret"
    agent_id: int = 1000002
    token: str = "callback-token"
    aes_key: str = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"
    wall: Callable[[], float] = time.time  # noqa: TID251 - the platform has a clock of its own, the rule is not for it
    access_token: str = ""
    access_until: float = 0.0
    old_tokens: dict[str, int] = field(default_factory=dict)
    members: dict[str, Member] = field(default_factory=dict)
    robots: dict[str, bool] = field(default_factory=dict)
    sent: list[Sent] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    recalled: set[str] = field(default_factory=set)
    updated: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    media: dict[str, Media] = field(default_factory=dict)
    codes: dict[str, tuple[dict[str, Any], float]] = field(default_factory=dict)
    responses: dict[str, Response] = field(default_factory=dict)
    duplicates: dict[bytes, tuple[float, dict[str, Any]]] = field(default_factory=dict)
    repeats: int = 0
    tasks: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)
    offences: list[str] = field(default_factory=list)
    faults: Faults = field(default_factory=Faults)
    flood: Flood = field(default_factory=lambda: Flood(MEMBER))
    robot_flood: Flood = field(default_factory=lambda: Flood(ROBOT))
    tokens_given: int = 0

    def offend(self, what: str, code: int = 40058) -> Refused:
        """Note a call that no well-made client makes; the answer to it."""
        self.offences.append(what)
        return Refused(code, f"invalid Request Parameter: {what}")

    def give_token(self) -> tuple[str, int]:
        """The token and its seconds: the same one while it is valid."""
        now = self.wall()
        if not self.access_token or now >= self.access_until:
            if self.access_token:
                self.old_tokens[self.access_token] = 42001
            self.access_token, self.access_until = token_urlsafe(48), now + TOKEN_SECONDS
            self.tokens_given += 1
        return self.access_token, int(self.access_until - now)

    def revoke(self, code: int = 40014) -> None:
        """Let the token end before its time."""
        if self.access_token:
            self.old_tokens[self.access_token] = code
        self.access_token = ""

    def check_token(self, token: str) -> None:
        """Refuse a token that is missing, unknown or over."""
        if not token:
            raise self.offend("access_token missing", 41001)
        if token != self.access_token:
            raise Refused(self.old_tokens.get(token, 40014))
        if self.wall() >= self.access_until:
            raise Refused(42001)

    def fresh(self, media_id: str) -> Media:
        """A file that is still kept."""
        found = self.media.get(media_id)
        if found is None or found.at + MEDIA_SECONDS < self.wall():
            raise Refused(40007)
        return found
