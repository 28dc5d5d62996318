"""Which files are taken, and under which name."""

import io

import pytest
from starlette.datastructures import UploadFile

from bot.media import media_type_of
from bot.web.trouble import Trouble
from bot.web.uploads import read_upload

DOCX = b"PK\x03\x04....[Content_Types].xml....word/document.xml"


@pytest.mark.parametrize(
    "start, media_type",
    [
        (b"\xff\xd8\xff\xe0JFIF", "image/jpeg"),
        (b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp"),
        (b"GIF89a", "image/gif"),
        (b"\x00\x00\x00\x18ftypheic", "image/heic"),
        (b"%PDF-1.7", "application/pdf"),
        (b"ID3\x04", "audio/mpeg"),
        (b"\xff\xfb\x90\x00\x00", "audio/mpeg"),
        (b"\x00\x00\x00\x1cftypM4A ", "audio/mp4"),
        (b"#!AMR\n", "audio/amr"),
        (b"OggS\x00", "audio/ogg"),
        (b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/wav"),
        (b"\x00\x00\x00\x18ftypisom", "video/mp4"),
        (DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        (
            DOCX.replace(b"word/document.xml", b"xl/workbook.xml"),
            "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ),
    ],
)
def test_a_file_is_known_by_its_first_bytes(start: bytes, media_type: str) -> None:
    assert media_type_of(start) == media_type


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<!doctype html>",
        b"<?xml version='1.0'?><svg/>",
        b" %PDF-1.7",
        b"RIFF\x00\x00\x00\x00AVI ",
        b"\x00\x00\x00\x18ftypevil",
        b"\x7fELF",
        b"\xff\xfe<\x00",  # UTF-16 text, no sound
        b"\xd0\xcf\x11\xe0old office",
        DOCX + b"word/vbaProject.bin",
    ],
)
def test_anything_else_is_not_taken(content: bytes) -> None:
    assert media_type_of(content) is None


async def test_an_empty_file_is_told_as_that() -> None:
    with pytest.raises(Trouble) as trouble:
        await read_upload(UploadFile(io.BytesIO(b""), filename="照片.jpg"))
    assert (trouble.value.status, trouble.value.said.key) == (415, "web.error.file_empty")
