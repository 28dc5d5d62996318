"""The one HTTP server: every page and endpoint behind the guard, served by uvicorn without a log of bodies."""

import asyncio
import contextlib
import errno
import socket
from collections.abc import Callable, Iterator, Sequence

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from bot.web import chat, demo, health, join, page, recognised, slips
from bot.web.context import WebContext
from bot.web.guard import Guard
from bot.web.signin import leave
from bot.web.stream import stream
from bot.web.trouble import TOLD, tell

GRACE = 2  # seconds that open streams are given when the program stops

ROUTES: tuple[BaseRoute, ...] = (
    Route("/", page.home),
    Route("/join", join.form),
    Route("/join", join.enter, methods=["POST"]),
    Route(page.INSIDE, recognised.enter),
    Route("/slip/{code}", slips.form),
    Route("/slip/{code}", slips.answer, methods=["POST"]),
    Route("/api/chat/state", chat.state),
    Route("/api/chat/stream", stream),
    Route("/api/chat/sign-out", leave, methods=["POST"]),
    Route("/api/chat/rooms/{id}/posts", chat.talk),
    Route("/api/chat/rooms/{id}/say", chat.say, methods=["POST"]),
    Route("/api/chat/rooms/{id}/press", chat.press, methods=["POST"]),
    Route("/api/chat/rooms/{id}/read", chat.read, methods=["POST"]),
    Route("/files/{hash}", chat.file),
    Route("/livez", health.livez),
    Route("/readyz", health.readyz),
    Route("/metrics", health.metrics),
    Mount("/static", StaticFiles(directory=page.STATIC)),
)


def make_web(context: WebContext) -> Starlette:
    """The application. Whatever else the server offers comes as `context.routes`."""
    own = (*ROUTES, *(demo.ROUTES if context.demo else ()))
    app = Starlette(
        routes=[*own, *context.routes],
        middleware=[
            Middleware(Guard, hosts=context.allowed_hosts, say=context.say, https_only=context.https_only)
        ],
        exception_handlers={Exception: tell, **dict.fromkeys(TOLD, tell)},
    )
    app.state.context = context
    return app


class _Server(uvicorn.Server):
    """Leaves the signals to the program, which stops everything in its own order."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class CannotListen(Exception):
    """No page can be served at this address; `taken` where another program listens there."""

    def __init__(self, address: str, *, taken: bool) -> None:
        super().__init__(address)
        self.taken = taken


def _open(host: str, port: int) -> socket.socket:
    """A listening socket, or CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=1024)
    except OSError as error:
        raise CannotListen(f"{host}:{port}", taken=error.errno == errno.EADDRINUSE) from error


async def serve(
    app: Starlette,
    host: str,
    port: int,
    listening: Callable[[int], None],
    stopping: Callable[[], None] = lambda: None,
    proxies: Sequence[str] = (),
) -> None:
    """Serve until cancelled; `listening` hears the port once it is open (0 asks for a free one).

    `stopping` is told before open answers are waited for, so that those without end can end. From `proxies` alone
    (addresses or networks) a visitor's address is taken out of X-Forwarded-For. CannotListen where the port is taken
    or the address is not this machine's.
    """
    opened = _open(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies),
        timeout_graceful_shutdown=GRACE,
        ws="none",
        lifespan="off",
    )
    server = _Server(config)
    serving = asyncio.create_task(server.serve([opened]))
    listening(opened.getsockname()[1])
    try:
        await asyncio.shield(serving)
    finally:
        stopping()
        server.should_exit = True
        await serving
