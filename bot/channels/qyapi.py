"""Calls of WeCom's HTTP API: one pool of connections, errors by what they mean, a token that is renewed once."""

import asyncio
import io
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp

from bot.channel import Uncertain, Undeliverable, Unsent
from bot.channels.files import TooLarge, body_of

_log = logging.getLogger(__name__)
T = TypeVar("T")

CONNECT_SECONDS = 10.0
READ_SECONDS = 15.0
UPLOAD_SECONDS = 120.0
SLOWEST = 3
"""After so many times the silence that is borne an answer is given up that comes in drops and never ends."""
MOST_CONNECTIONS = 32
EARLY_SECONDS = 120.0
"""So long before its end a token is taken for over."""
WAIT_SECONDS = 60.0
TOKEN_OVER = frozenset({40014, 42001})
NOBODY = frozenset({81013, 60111, 40031})
"""No member of those named can be reached by the app."""
BUSY = frozenset({-1, 50001, 50002})
TOO_OFTEN = frozenset({45009, 45033})
SHUT = frozenset({40001, 40013, 40056, 41001, 41002, 41004, 60011, 60020, 301002})
"""What no message can get through until the operator has mended it: secret, ids, trusted addresses."""


class ApiError(Exception):
    """What became of a call that did not succeed; no address, and so no secret, is ever part of its words."""


class NotDone(ApiError):
    """Nothing was done: no connection came about, or the server says that it cannot work now."""


class Lost(ApiError):
    """The call has left and nothing that can be read came back: nobody knows whether it was carried out."""


class TooMuch(Lost):
    """The answer is larger than any file may be."""


class Denied(ApiError):
    """The platform says no, with its errcode."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"{words.partition(', hint')[0]} ({code})")
        self.code = code


@dataclass(frozen=True, slots=True)
class File:
    """A body of bytes with its name and type."""

    name: str
    media_type: str
    content: bytes


class Wire:
    """One pool of connections to one server, opened at its first use; proxies are those the environment names."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session: aiohttp.ClientSession | None = None

    async def ask(
        self, path: str, query: Mapping[str, str], body: bytes | None = None, *, seconds: float = READ_SECONDS
    ) -> dict[str, Any]:
        """The answer to a GET, or to a POST of JSON; NotDone, Lost or Denied."""
        headers = {"Content-Type": "application/json"} if body is not None else None
        content, _ = await self._exchange(path, query, seconds, data=body, headers=headers)
        return _told(content)

    async def upload(self, path: str, query: Mapping[str, str], file: File) -> dict[str, Any]:
        """The same for a file in a form."""
        form = aiohttp.FormData(quote_fields=False)
        form.add_field("media", io.BytesIO(file.content), filename=_writable(file.name), content_type=file.media_type)
        content, _ = await self._exchange(path, query, UPLOAD_SECONDS, data=form)
        return _told(content)

    async def download(self, path: str, query: Mapping[str, str]) -> bytes:
        """The bytes of a file; Denied where JSON comes in its place, TooMuch where there are too many."""
        content, media_type = await self._exchange(path, query, UPLOAD_SECONDS)
        if media_type in ("application/json", "text/plain") and content.lstrip().startswith(b"{"):
            _told(content)
        return content

    async def _exchange(self, path: str, query: Mapping[str, str], seconds: float, **payload: Any) -> tuple[bytes, str]:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=MOST_CONNECTIONS, ttl_dns_cache=300)
            self._session = aiohttp.ClientSession(connector=connector, trust_env=True)
        method = "GET" if payload.get("data") is None else "POST"
        timeout = aiohttp.ClientTimeout(total=SLOWEST * seconds, sock_connect=CONNECT_SECONDS, sock_read=seconds)
        address = f"{self._base}/cgi-bin/{path}"
        try:
            async with self._session.request(
                method, address, params=query, timeout=timeout, allow_redirects=False, **payload
            ) as answer:
                status, media_type, content = answer.status, answer.content_type, await body_of(answer)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise NotDone(f"no connection: {type(error).__name__}") from None
        except TooLarge:
            raise TooMuch("an answer without end") from None
        except TimeoutError:
            raise Lost(f"no answer within {seconds:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError) as error:
            raise Lost(f"the connection broke: {type(error).__name__}") from None
        if status == 504:
            raise Lost("a gateway waited in vain (504)")
        if status != 200:
            raise NotDone(f"somebody else answers in WeCom's place ({status})")
        return content, media_type

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _told(content: bytes) -> dict[str, Any]:
    """The JSON of an answer; what cannot be read is not logged, as it may hold people's words."""
    try:
        told = json.loads(content)
    except (ValueError, RecursionError):
        told = None
    if not isinstance(told, dict) or type(told.get("errcode", 0)) is not int:
        raise Lost("an answer that cannot be read")
    if code := told.get("errcode", 0):
        raise Denied(code, str(told.get("errmsg", "")))
    return told


def _writable(name: str) -> str:
    """A file's name without what a header cannot hold."""
    return "".join(char if char.isprintable() and char not in '"\\' else "_" for char in name)[:120] or "file"


class Account:
    """A self-built app's way into the API: every call with its access token, which all callers share."""

    def __init__(self, wire: Wire, corp_id: str, secret: str) -> None:
        self.wire = wire
        self._credentials = {"corpid": corp_id, "corpsecret": secret}
        self._token, self._until = "", 0.0
        self._renewals = 0
        self._failure: ApiError | None = None
        self._renewing = asyncio.Lock()

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """The answer to a GET."""
        return await self._with_token(lambda token: self.wire.ask(path, {"access_token": token, **query}))

    async def post(self, path: str, body: bytes) -> dict[str, Any]:
        """The answer to a POST of this very JSON."""
        return await self._with_token(lambda token: self.wire.ask(path, {"access_token": token}, body))

    async def upload(self, kind: str, file: File) -> str:
        """Hand a file over; its media_id, good for three days."""
        told = await _before_anything(
            self._with_token(
                lambda token: self.wire.upload("media/upload", {"access_token": token, "type": kind}, file)
            )
        )
        return str(told["media_id"])

    async def download(self, media_id: str) -> bytes:
        """A file that came in with a message."""
        return await self._with_token(
            lambda token: self.wire.download("media/get", {"access_token": token, "media_id": media_id})
        )

    async def _with_token(self, call: Callable[[str], Awaitable[T]]) -> T:
        """With one renewal where the token was ended before its time; a refused call has done nothing."""
        token = await self._valid_token("")
        try:
            return await call(token)
        except Denied as denied:
            if denied.code not in TOKEN_OVER:
                raise
        return await call(await self._valid_token(token))

    async def _valid_token(self, over: str) -> str:
        """The token, asked for anew where it is over or the one that is known to be; by one caller for all.

        Who waits meanwhile has its failure as well, so that not each of them asks again.
        """
        before = self._renewals
        async with self._renewing:
            moment = asyncio.get_running_loop().time()
            if self._token in ("", over) or moment >= self._until:
                if self._renewals > before and self._failure is not None:
                    raise self._failure.with_traceback(None)
                self._token, lives = await self._new_token()
                self._until = moment + max(lives - EARLY_SECONDS, 1.0)
            return self._token

    async def _new_token(self) -> tuple[str, float]:
        """A token, and for how many seconds it is good."""
        self._failure = None
        try:
            told = await _before_anything(self.wire.ask("gettoken", self._credentials))
            return str(told["access_token"]), float(told.get("expires_in", 0))
        except ApiError as error:
            self._failure = error
            raise
        except (KeyError, TypeError, ValueError):
            self._failure = NotDone("a token that cannot be read")
            raise self._failure from None
        finally:
            self._renewals += 1


async def _before_anything(call: Awaitable[T]) -> T:
    """A call that says nothing to anybody: where it is lost, no message is."""
    try:
        return await call
    except Lost as lost:
        raise NotDone(str(lost)) from None


def outcome(error: ApiError) -> Exception:
    """What a failed call means for the message that it was to bring."""
    if isinstance(error, Lost):
        return Uncertain(str(error))
    if not isinstance(error, Denied):
        return Unsent(str(error), channel_down=True)
    if error.code in NOBODY:
        return Undeliverable(str(error), unreachable=True)
    if error.code in BUSY:
        return Unsent(str(error))
    if error.code in TOO_OFTEN:
        return Unsent(str(error), seconds=WAIT_SECONDS, channel_down=True)
    if error.code in SHUT or error.code in TOKEN_OVER:
        _log.error("wecom refuses this app: %s", error)
        return Unsent(str(error), seconds=WAIT_SECONDS, channel_down=True)
    return Undeliverable(str(error))
