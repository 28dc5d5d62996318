"""What the HTTP server is given by the composition root; it opens and reads nothing by itself."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol, cast
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.routing import BaseRoute

from bot.channel import Doorkeeper
from bot.limits import Limits
from bot.web.board import PostBoard
from domain.rules import Rules
from domain.said import Said
from storage.database import Database
from texts import Catalogue, render

Stride = Literal["hour", "next", "morning"]
Group = Literal["firm", "liaison", "department", "office", "inspection"]


@dataclass(frozen=True, slots=True)
class DemoPerson:
    """Somebody whom the visitor of the demo may be; `note` is his firm or office."""

    id: int
    name: str
    group: Group
    note: str


class DemoControls(Protocol):
    """The demo's clock and cast. A stride steps through every due moment and drains what is owed before it returns."""

    def now(self) -> datetime:
        """Civil time of the demo."""
        ...

    def playing(self) -> bool:
        """Whether the clock runs ahead by itself."""
        ...

    async def advance(self, stride: Stride) -> None:
        """An hour on, to the next thing that happens, or to 8:30 of the next morning."""
        ...

    async def play(self, on: bool) -> None:
        """Let the clock run ahead by itself, or stop it."""
        ...

    async def people(self) -> Sequence[DemoPerson]:
        """Whom one may be, the first of them a firm's contact."""
        ...


async def no_health() -> Sequence[Said]:
    """A program that has nothing to tell is well."""
    return ()


async def no_metrics() -> bytes:
    """Nothing is measured."""
    return b""


@dataclass(frozen=True, slots=True)
class WebContext:
    """Everything the pages need. `wake` tells the dispatcher that the inbox has news.

    `clock_now` is civil, `machine_now` real. `health` says what is wrong, which keeps /readyz at 503; `metrics` is
    what /metrics tells.
    `hosts` are further host names under which the pages answer; `routes` are other parts of the same server
    (console, API, callbacks). `doorkeeper` is the platform that tells who opened a page inside it.
    """

    database: Database
    rules: Rules
    catalogue: Catalogue
    board: PostBoard
    wake: Callable[[], None]
    clock_now: Callable[[], datetime]
    machine_now: Callable[[], datetime]
    public_url: str
    demo: DemoControls | None = None
    health: Callable[[], Awaitable[Sequence[Said]]] = no_health
    metrics: Callable[[], Awaitable[bytes]] = no_metrics
    hosts: frozenset[str] = frozenset()
    routes: tuple[BaseRoute, ...] = ()
    doorkeeper: Doorkeeper | None = None
    limits: Limits = field(default_factory=Limits)

    @property
    def secure(self) -> bool:
        """Whether the pages are reached by https, so that cookies may insist on it."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def https_only(self) -> str:
        """The host name under which pages are reached by https alone, "" where that is not so."""
        return (urlsplit(self.public_url).hostname or "") if self.secure else ""

    @property
    def allowed_hosts(self) -> frozenset[str]:
        """The host names, without ports, under which the pages answer."""
        public = urlsplit(self.public_url).hostname
        return self.hosts | {"localhost", "127.0.0.1", "::1"} | ({public} if public else set())

    def say(self, said: Said, language: str = "") -> str:
        """A sentence in this language, or the park's."""
        return render(self.catalogue, said, language or self.rules.language, self.rules.calendar.zone)


def context_of(request: Request) -> WebContext:
    """The context of the server that got this request."""
    return cast(WebContext, request.app.state.context)
