"""What may be sent along: files are known by their first bytes, never by name or by what the browser claims."""

from collections.abc import Sequence
from dataclasses import dataclass

from starlette.datastructures import UploadFile

from bot.web.trouble import Trouble
from domain.said import Said
from domain.words import cleaned

MOST_FILES = 10
MOST_BYTES = 20 * 1024 * 1024
SHOWN_IN_PLACE = frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"})
_LONGEST_NAME = 120

_OFFICE = "application/vnd.openxmlformats-officedocument."
_MP4 = {b"M4A ": "audio/mp4", b"M4B ": "audio/mp4"}
_HEIC = frozenset({b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"heim", b"heis"})
_STARTS: Sequence[tuple[bytes, str]] = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"ID3", "audio/mpeg"),
    (b"#!AMR", "audio/amr"),
    (b"OggS", "audio/ogg"),
)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that may be kept."""

    name: str
    media_type: str
    content: bytes


def media_type_of(content: bytes) -> str | None:
    """The type of a file by its content; None for what may not be sent."""
    for start, media_type in _STARTS:
        if content.startswith(start):
            return media_type
    if content[:4] == b"RIFF":
        return {b"WEBP": "image/webp", b"WAVE": "audio/wav"}.get(content[8:12])
    if content[4:8] == b"ftyp":
        return _boxed(content[8:12])
    if content[:4] == b"PK\x03\x04":
        return _office(content)
    return "audio/mpeg" if _is_mp3_frame(content) else None


def _boxed(brand: bytes) -> str | None:
    if brand in _HEIC:
        return "image/heic"
    if brand in _MP4:
        return _MP4[brand]
    known = brand.startswith((b"iso", b"mp4", b"avc1", b"MSNV", b"3gp", b"dash", b"qt"))
    return "video/mp4" if known else None


def _office(content: bytes) -> str | None:
    """Documents without macros; names stand uncompressed in a zip, so nothing is unpacked to look at them."""
    if b"vbaProject.bin" in content or b"[Content_Types].xml" not in content:
        return None
    if b"word/document.xml" in content:
        return _OFFICE + "wordprocessingml.document"
    return _OFFICE + "spreadsheetml.sheet" if b"xl/workbook.xml" in content else None


def _is_mp3_frame(content: bytes) -> bool:
    """An MPEG audio frame without a tag before it: 11 sync bits, a version, layer III."""
    return len(content) > 4 and content[0] == 0xFF and content[1] & 0xE6 == 0xE2 and content[1] & 0x18 != 0x08


def safe_name(name: str) -> str:
    """The last part of a name without what could confuse a reader or a disk."""
    last = cleaned(name.replace("\\", "/").rpartition("/")[2]).replace("\n", " ").replace('"', "'").strip(". ")
    if len(last) <= _LONGEST_NAME:
        return last or "file"
    stem, dot, ending = last.rpartition(".")
    return stem[: _LONGEST_NAME - 10] + dot + ending[:9] if dot else last[:_LONGEST_NAME]


async def read_upload(part: UploadFile) -> Upload:
    """One file out of a form; raises Trouble for one that is empty, too large or of a kind that is not taken."""
    name = safe_name(part.filename or "")
    content = await part.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Trouble(413, Said("web.error.file_too_large", {"name": name}))
    media_type = media_type_of(content)
    if media_type is None:
        raise Trouble(415, Said("web.error.file_kind", {"name": name}))
    return Upload(name, media_type, content)
