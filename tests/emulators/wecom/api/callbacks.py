"""Calls of the platform at our endpoint: encrypted XML, signed, again where no 200 comes in time; and forged ones."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from secrets import token_hex
from urllib.parse import urlencode
from xml.sax.saxutils import escape

import aiohttp

from .core import Core
from .crypt import encrypt, signature

TRIES = 3


@dataclass(frozen=True, slots=True)
class Callback:
    """One call: what its address says, and its body."""

    signature: str
    timestamp: str
    nonce: str
    body: bytes
    echo: str = ""

    @property
    def query(self) -> dict[str, str]:
        """The parameters of its address."""
        found = {"msg_signature": self.signature, "timestamp": self.timestamp, "nonce": self.nonce}
        return found | ({"echostr": self.echo} if self.echo else {})

    def bent(self, bit: int) -> "Callback":
        """The same with one bit of the body turned."""
        turned = bytearray(self.body)
        turned[bit // 8 % len(turned)] ^= 1 << bit % 8
        return replace(self, body=bytes(turned))


@dataclass(slots=True)
class Caller:
    """Makes calls and delivers them to `url`. `patience`: seconds until a call without an answer is made again."""

    core: Core
    url: str = ""
    patience: float = 5.0
    answers: list[tuple[int, bytes]] = field(default_factory=list)
    session: aiohttp.ClientSession | None = None

    def make(
        self,
        fields: Mapping[str, object] | str,
        *,
        age: float = 0.0,
        receiver: str | None = None,
        token: str | None = None,
        key: str | None = None,
        padding: bytes | None = None,
    ) -> Callback:
        """A call with this XML, good unless told otherwise; `age`: how many seconds ago it was signed."""
        core = self.core
        xml = fields if isinstance(fields, str) else _xml(fields)
        sealed = encrypt(key or core.aes_key, xml.encode(), receiver or core.corp_id, padding=padding)
        timestamp, nonce = str(int(core.wall() - age)), token_hex(8)
        signed = signature(token or core.token, timestamp, nonce, sealed)
        return Callback(signed, timestamp, nonce, _envelope(core, sealed))

    def verification(self, words: str) -> Callback:
        """The call with which the platform's console tries an address."""
        sealed = encrypt(self.core.aes_key, words.encode(), self.core.corp_id)
        timestamp, nonce = str(int(self.core.wall())), token_hex(8)
        return Callback(signature(self.core.token, timestamp, nonce, sealed), timestamp, nonce, b"", sealed)

    async def deliver(self, callback: Callback, *, tries: int = TRIES) -> int:
        """Call until a 200 comes, so often at most; the last status, 0 for none."""
        status = 0
        for _ in range(tries):
            status = await self._once(callback)
            if status == 200:
                return status
        return status

    async def _once(self, callback: Callback) -> int:
        if self.session is None:
            self.session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(force_close=True))
        method = "GET" if callback.echo else "POST"
        address = f"{self.url}?{urlencode(callback.query)}"
        try:
            async with asyncio.timeout(self.patience):
                async with self.session.request(method, address, data=callback.body or None) as answer:
                    self.answers.append((answer.status, await answer.read()))
                    return answer.status
        except (TimeoutError, aiohttp.ClientError, OSError):
            self.answers.append((0, b""))
            return 0

    async def close(self) -> None:
        """Let go of connections."""
        if self.session is not None:
            await self.session.close()
            self.session = None


def _envelope(core: Core, sealed: str) -> bytes:
    return _xml({"ToUserName": core.corp_id, "AgentID": core.agent_id, "Encrypt": sealed}).encode()


def _xml(fields: Mapping[str, object]) -> str:
    """Texts in CDATA, numbers bare, maps nested, as the platform writes them."""
    return f"<xml>{''.join(_element(name, value) for name, value in fields.items())}</xml>"


def _element(name: str, value: object) -> str:
    if isinstance(value, Mapping):
        return f"<{name}>{''.join(_element(inner, each) for inner, each in value.items())}</{name}>"
    if isinstance(value, int):
        return f"<{name}>{value}</{name}>"
    text = str(value)
    return f"<{name}>{escape(text)}</{name}>" if "]]>" in text else f"<{name}><![CDATA[{text}]]></{name}>"
