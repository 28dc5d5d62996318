"""How calls reach the Bot API: python-telegram-bot's request interface over aiohttp, at a fraction of the cost."""

import io
import json
import re
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from telegram.error import BadRequest, NetworkError, RetryAfter, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

from bot.channels.files import TooLarge, body_of

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
"""A Bot API server may hold a message back for up to 8 seconds instead of refusing it, so no shorter."""
WHOLE_SECONDS = 300.0
"""An answer that never falls silent and never ends is given up after so long; a large file takes a while."""
MOST_CONNECTIONS = 64
ANSWERS = frozenset({400, 401, 403, 404, 409, 429})
"""The statuses with which the Bot API itself says no."""
WAIT_SECONDS = 5
"""How long to wait where the server says too often, and not until when."""
MOST_REFUSAL = 2048
"""Bytes; what is longer is no refusal."""
_UNWRITABLE = re.compile("[\x00-\x1f\x7f\ud800-\udfff]")


class NotConnected(NetworkError):
    """No connection came about: nothing has left."""


class Refusing(NetworkError):
    """The server answers, and says that it cannot work now: nothing was done."""


class Lost(NetworkError):
    """The call has left and no answer came: nobody knows whether it was carried out."""


class Transport(BaseRequest):
    """One pool of connections to one server; opened at its first use, through the proxy that the environment names."""

    def __init__(self, base: str, whole: float = WHOLE_SECONDS) -> None:
        """A call may take `whole` seconds beyond those for which its server may be silent."""
        self._session: aiohttp.ClientSession | None = None
        self._proxy = proxy_for(base)
        self._whole = whole

    @property
    def read_timeout(self) -> float:
        """Seconds without an answer after which a call is lost."""
        return READ_SECONDS

    async def initialize(self) -> None:
        """Nothing: the pool opens by itself."""

    async def shutdown(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = BaseRequest.DEFAULT_NONE,
        write_timeout: Any = BaseRequest.DEFAULT_NONE,
        connect_timeout: Any = BaseRequest.DEFAULT_NONE,
        pool_timeout: Any = BaseRequest.DEFAULT_NONE,
    ) -> tuple[int, bytes]:
        """Status and body of the answer; NotConnected, Refusing, Lost or TimedOut where there is none worth reading.

        What is raised never names the address, which holds the token, nor what was sent.
        """
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=MOST_CONNECTIONS, ttl_dns_cache=300), proxy=self._proxy
            )
        wait = _seconds(read_timeout, READ_SECONDS)
        timeout = aiohttp.ClientTimeout(total=wait + self._whole, sock_connect=CONNECT_SECONDS, sock_read=wait)
        try:
            async with self._session.request(
                method, url, timeout=timeout, allow_redirects=False, **_payload(request_data)
            ) as answer:
                status, body = answer.status, await body_of(answer)
        except TooLarge:
            raise BadRequest("file is too big") from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.ClientHttpProxyError) as error:
            raise NotConnected(f"no connection: {type(error).__name__}") from None
        except TimeoutError:
            raise TimedOut(f"no answer within {wait:g} s") from None
        except (aiohttp.ClientError, OSError, ValueError, TypeError, RuntimeError) as error:
            raise Lost(f"the connection broke: {type(error).__name__}") from None
        status = _meant(status, body)
        _vet(status, body)
        return status, body

    @staticmethod
    def parse_json_payload(payload: bytes) -> Any:
        """The JSON of an answer; what cannot be read is not logged, as it may hold people's words."""
        told = _told(payload)
        if told is None or (told.get("ok") is not False and "result" not in told):
            raise TelegramError("an answer that cannot be read")
        return told


def proxy_for(base: str) -> str | None:
    """The proxy through which an address is reached, as the usual variables say (HTTPS_PROXY, NO_PROXY)."""
    parts = urlsplit(base)
    if proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)


def _meant(status: int, body: bytes) -> int:
    """The status of an answer; where a no comes under a yes, that of the no."""
    if not 200 <= status < 300 or len(body) > MOST_REFUSAL:
        return status
    told = _told(body)
    if told is None or told.get("ok") is not False:
        return status
    meant = told.get("error_code")
    if type(meant) is not int or meant < 400:
        raise Lost("a yes that says no, and not why")
    return meant


def _vet(status: int, body: bytes) -> None:
    """Raise for what is no answer of the Bot API's own: a gateway speaks, or a page that stands in its way."""
    if 200 <= status < 300:
        return
    if status == 504:
        raise Lost("a gateway waited in vain (504)")
    if status >= 500:
        raise Refusing(f"the server cannot work now ({status})")
    if status == 413:
        raise BadRequest("too large for the server (413)")
    told = _told(body)
    if status not in ANSWERS or told is None or told.get("ok") is not False:
        raise Refusing(f"somebody else answers in Telegram's place ({status})")
    asked = told.get("parameters") or {}
    if status == 429 and not asked.get("retry_after"):
        raise RetryAfter(asked.get("retry_after", WAIT_SECONDS))


def _told(body: bytes) -> dict[str, Any] | None:
    """The JSON object in a body, if there is one."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return told if isinstance(told, dict) else None


def _payload(data: RequestData | None) -> dict[str, Any]:
    """The body as aiohttp takes it: JSON, or a form where files come along."""
    if data is None:
        return {}
    if not data.contains_files:
        return {"json": data.parameters}
    form = aiohttp.FormData(quote_fields=False)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, media_type) in (data.multipart_data or {}).items():
        file = io.BytesIO(content) if isinstance(content, bytes) else content
        form.add_field(name, file, filename=_UNWRITABLE.sub("_", filename), content_type=media_type)
    return {"data": form}


def _seconds(given: Any, otherwise: float) -> float:
    """A timeout as python-telegram-bot hands it on: a number, None, or "as usual"."""
    return otherwise if given is None or given is BaseRequest.DEFAULT_NONE else float(given)
