"""Frames of a WebSocket, byte for byte (RFC 6455, section 5.2)."""

import asyncio
import struct
from dataclasses import dataclass

TEXT, CLOSE, PING = 1, 8, 9
FIN, MASKED = 0x80, 0x80


@dataclass(frozen=True, slots=True)
class Frame:
    """One frame: what it holds, unmasked, and as it came."""

    opcode: int
    payload: bytes
    raw: bytes


async def read_frame(reader: asyncio.StreamReader) -> Frame:
    """The next frame; IncompleteReadError where the line ends."""
    raw = await reader.readexactly(2)
    length = raw[1] & 0x7F
    if length > 125:
        more = await reader.readexactly(2 if length == 126 else 8)
        raw, length = raw + more, int.from_bytes(more)
    mask = await reader.readexactly(4) if raw[1] & MASKED else b""
    payload = await reader.readexactly(length)
    plain = bytes(byte ^ mask[number % 4] for number, byte in enumerate(payload)) if mask else payload
    return Frame(raw[0] & 0x0F, plain, raw + mask + payload)


def frame(opcode: int, payload: bytes, *, length: int | None = None) -> bytes:
    """A frame of a server; `length` is what it says of itself, where that is a lie."""
    told = len(payload) if length is None else length
    if told < 126:
        head = struct.pack("!BB", FIN | opcode, told)
    elif told < 1 << 16:
        head = struct.pack("!BBH", FIN | opcode, 126, told)
    else:
        head = struct.pack("!BBQ", FIN | opcode, 127, told)
    return head + payload


def closing(code: int, words: str = "") -> bytes:
    """The frame that ends a connection."""
    return frame(CLOSE, struct.pack("!H", code) + words.encode())
