"""What a file is, by its first bytes: never by its name, nor by what somebody claims."""

from collections.abc import Sequence

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


def media_type_of(content: bytes) -> str | None:
    """The type of a file by its content; None for what is none of those that a park needs."""
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
