"""The gate before every page: known host, own origin, bounded bodies, and the headers that keep foreign code out."""

import json
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.web.trouble import Trouble
from domain.said import Said

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; media-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
HEADERS: dict[str, str] = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}
_CACHED = {"Cache-Control": "no-cache"}  # kept, and asked for again by its tag
STATIC = "/static/"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
PROBES = frozenset({"/livez", "/readyz", "/metrics"})
CALLBACKS = "/channels/"
SMALL_BODY = 64 * 1024
CALLBACK_BODY = 1024 * 1024
LARGE_BODY = 205 * 1024 * 1024
_SAY = "/say"


class Guard:
    """Wraps the whole application. Platforms' callbacks have no origin: they are known by their signatures instead.

    `https_only` is the host name that is reached by https and no other way, "" where there is none.
    """

    def __init__(self, app: ASGIApp, hosts: frozenset[str], say: Callable[[Said], str], https_only: str = "") -> None:
        self._app = app
        self._hosts = hosts
        self._https_only = https_only
        self._say = say

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Refuse, or pass on with a bounded body and headers added."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        send = _with_headers(send, HEADERS | _CACHED if scope["path"].startswith(STATIC) else HEADERS)
        trouble = self._trouble(scope)
        if trouble:
            await _refuse(send, trouble, self._say(trouble.said))
        else:
            await self._app(scope, _bounded(receive, _body_limit(scope["path"])), send)

    def _trouble(self, scope: Scope) -> Trouble | None:
        headers, path = Headers(scope=scope), scope["path"]
        known_otherwise = path in PROBES or path.startswith(CALLBACKS)
        if not known_otherwise and _name(headers.get("host", "")) not in self._hosts:
            return Trouble(400, Said("web.error.host"))
        changes = scope["method"] not in SAFE_METHODS and not path.startswith(CALLBACKS)
        if changes and not same_origin(headers, self._https_only):
            return Trouble(403, Said("web.error.origin"))
        length = headers.get("content-length", "0")
        if not length.isdigit() or int(length) > _body_limit(path):
            return Trouble(413, Said("web.error.too_large"))
        return None


def _name(host: str) -> str:
    """The name in a Host header, without port; "" where there is none."""
    place = _place(f"http://{host}")
    return place[0] if place else ""


def same_origin(headers: Headers, https_only: str = "") -> bool:
    """Whether the page that sends this is one of ours: by Origin, or where it is left out by Sec-Fetch-Site.

    Under the name that is reached by https alone, a page that came without it is somebody else's on the way.
    """
    site = headers.get("sec-fetch-site")
    if site not in (None, "same-origin"):
        return False
    origin = headers.get("origin")
    if origin is None:
        return site == "same-origin"
    place = _place(origin)
    scheme = origin.partition(":")[0].lower()  # a proxy may speak https for us: the scheme is the page's, not ours
    if place is None or (scheme == "http" and place[0] == https_only):
        return False
    return place == _place(f"{scheme}://{headers.get('host', '')}")


def _place(url: str) -> tuple[str, int | None] | None:
    """Host and port of an http(s) address, the default port filled in; None for anything else."""
    try:
        parts = urlsplit(url)
        usual = {"http": 80, "https": 443}[parts.scheme]
        port = usual if parts.port is None else parts.port
    except (ValueError, KeyError):
        return None
    return (parts.hostname or "", port)


def _body_limit(path: str) -> int:
    if path.startswith(CALLBACKS):
        return CALLBACK_BODY
    return LARGE_BODY if path.endswith(_SAY) else SMALL_BODY


def _bounded(receive: Receive, most: int) -> Receive:
    """Count what really comes in, as a length may be left out or lie."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > most:
            raise Trouble(413, Said("web.error.too_large"))
        return message

    return counted


def _with_headers(send: Send, added: Mapping[str, str]) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in added.items():
                headers.setdefault(name, value)
        await send(message)

    return sending


async def _refuse(send: Send, trouble: Trouble, sentence: str) -> None:
    code = trouble.said.key.rpartition(".")[2]
    body = json.dumps({"error": sentence, "code": code}, ensure_ascii=False).encode()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": trouble.status, "headers": head})
    await send({"type": "http.response.body", "body": body})
