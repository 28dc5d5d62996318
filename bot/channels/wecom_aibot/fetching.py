"""Files that come along: fetched from their short-lived address and deciphered, or why they cannot be had."""

import asyncio
import base64
import binascii
import logging
import re
from dataclasses import dataclass
from email.message import Message
from urllib.parse import unquote

import aiohttp
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.channels.files import MOST_BYTES, TooLarge, body_of, too_large
from domain.said import Said

_log = logging.getLogger(__name__)

PADDING = 32
TRIES = 3
PAUSE_SECONDS = 1.0
FETCH_SECONDS = 60.0
_MOST_NAME = 120


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file as its sender sent it; `name` is "" where the server does not tell."""

    content: bytes
    name: str


class NotFetched(Exception):
    """The file cannot be had; `cause` for the person who sent it."""

    def __init__(self, cause: Said) -> None:
        super().__init__(cause.key)
        self.cause = cause


class Fetcher:
    """One pool of connections, opened at its first use, through the proxy that the environment names."""

    def __init__(self) -> None:
        self._session: aiohttp.ClientSession | None = None

    async def fetch(self, url: str, aeskey: str) -> Fetched:
        """Download and decipher; NotFetched after a few tries, or at once where trying again is of no use."""
        for failures in range(1, TRIES + 1):
            try:
                sealed, name = await self._download(url)
            except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
                _log.warning("a file could not be fetched: %s", type(error).__name__)
                await asyncio.sleep(PAUSE_SECONDS * failures if failures < TRIES else 0)
                continue
            return Fetched(_opened(sealed, aeskey), name)
        raise NotFetched(Said("file.unreachable"))

    async def _download(self, url: str) -> tuple[bytes, str]:
        if self._session is None:
            self._session = aiohttp.ClientSession(trust_env=True)
        async with self._session.get(url, timeout=aiohttp.ClientTimeout(total=FETCH_SECONDS)) as answer:
            if 400 <= answer.status < 500:
                raise NotFetched(Said("file.unreachable"))
            answer.raise_for_status()
            try:
                content = await body_of(answer, MOST_BYTES + PADDING)
            except TooLarge:
                raise NotFetched(too_large()) from None
            return content, _named(answer.headers.get("Content-Disposition", ""))

    async def close(self) -> None:
        """Close all connections."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()


def _opened(sealed: bytes, aeskey: str) -> bytes:
    try:
        content = decipher(sealed, aeskey) if aeskey else sealed
    except ValueError as error:
        _log.warning("a file could not be deciphered: %s", error)
        raise NotFetched(Said("file.unreachable")) from None
    return content


def decipher(sealed: bytes, aeskey: str) -> bytes:
    """AES-256-CBC with the key's first half as IV and PKCS#7 to 32 bytes (page 101463); ValueError where it is none."""
    try:
        key = base64.b64decode(aeskey + "=" * (-len(aeskey) % 4), validate=True)
    except binascii.Error:
        raise ValueError("the key is no base64") from None
    if len(key) != 32 or not sealed or len(sealed) % 16:
        raise ValueError(f"a key of {len(key)} bytes, a file of {len(sealed)}")
    opener = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
    content = opener.update(sealed) + opener.finalize()
    padding = content[-1]
    if not 1 <= padding <= PADDING or content[-padding:] != bytes([padding]) * padding:
        raise ValueError("the padding is none")
    return content[:-padding]


def _named(disposition: str) -> str:
    """The file's name in a Content-Disposition, without a path and fit to be shown."""
    header = Message()
    header["Content-Disposition"] = disposition
    name = unquote(header.get_filename() or "")
    plain = re.sub(r"[\x00-\x1f\x7f\ud800-\udfff]", "_", name.replace("\\", "/").rpartition("/")[2]).strip()
    return plain[-_MOST_NAME:]
