"""Files that a platform has handed over: the same are taken on every channel, known by what they are."""

import aiohttp

from bot.channel import Desk
from bot.media import media_type_of
from domain.chat import Attachment, LostFile
from domain.said import Said

MEGABYTE = 1_000_000
MOST_BYTES = 20 * MEGABYTE
"""What Telegram hands to a bot at most, and WeCom to an app; a server in between may hand over more."""
_CHUNK = 256 * 1024


class TooLarge(Exception):
    """More comes than any file may have."""


async def body_of(answer: aiohttp.ClientResponse, most: int = MOST_BYTES) -> bytes:
    """What a server answers; TooLarge as soon as it is more than so many bytes, whatever length it had told."""
    content = bytearray()
    async for chunk in answer.content.iter_chunked(_CHUNK):
        content += chunk
        if len(content) > most:
            raise TooLarge
    return bytes(content)


async def take(desk: Desk, content: bytes, name: str) -> Attachment | LostFile:
    """Keep a file that a park needs; why it is not kept where it is too large or of another kind."""
    if len(content) > MOST_BYTES:
        return LostFile(name, too_large())
    media_type = media_type_of(content)
    if media_type is None:
        return LostFile(name, Said("file.kind"))
    return await desk.keep_file(content, name, media_type)


def too_large() -> Said:
    """Why a large file is not taken."""
    return Said("file.too_large", {"most": MOST_BYTES // MEGABYTE})
