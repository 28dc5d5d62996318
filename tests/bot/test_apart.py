"""A workbook is read in a process of its own: what would take more memory or time than it may is refused."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from bot import apart, workbook
from domain.errors import Refused
from domain.roster import Table
from reports.roster import write_tables
from tests.needs import count
from tests.security.hostile import bomb, laughs, packed
from tests.summary import Tally

GOOD = Table("企业", ((1, ("名称", "片区")), (2, ("宏达机械", "")), (3, ("=1+1",))))
MEMORY, SECONDS = 256 * 1024 * 1024, 20
BULK = 60_000_000
SHEET, STRINGS, BOOK = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml", "xl/workbook.xml"


def heavy(part: str, before: bytes, filling: bytes) -> bytes:
    """A small workbook with one part that unpacks to 60 MB of elements, within what a file may unpack to."""
    with zipfile.ZipFile(io.BytesIO(write_tables([GOOD]))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    assert before in parts[part]
    parts[part] = parts[part].replace(before, filling * (BULK // len(filling)) + before, 1)
    return packed({name.replace("/", "__"): content for name, content in parts.items()})


def lying() -> bytes:
    """A part that calls itself ten bytes long and unpacks to 10 GB."""
    squeeze = zlib.compressobj(9, zlib.DEFLATED, -15)
    block = squeeze.compress(bytes(10_000_000)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    more = squeeze.compress(bytes(10_000_000)) + squeeze.flush(zlib.Z_FULL_FLUSH)
    data = block + more * 999 + squeeze.flush()
    found = io.BytesIO()
    with zipfile.ZipFile(found, "w") as archive:
        archive.writestr("[Content_Types].xml", data)
    content = bytearray(found.getvalue())
    for place, method in ((0, 8), (content.rfind(b"PK\x01\x02"), 10)):
        struct.pack_into("<H", content, place + method, zipfile.ZIP_DEFLATED)
        struct.pack_into("<III", content, place + method + 6, zlib.crc32(bytes(10)), len(data), 10)
    return bytes(content)


def repeating() -> bytes:
    """One text of two thousand characters that stands in a hundred thousand cells."""
    rows = tuple((row, ("长" * 2000,) * 50) for row in range(1, 2001))
    return write_tables([Table("企业", rows)])


HEAVY: Mapping[str, tuple[str, Callable[[], bytes]]] = {
    "10 GB behind ten bytes": ("heavy", lying),
    "a workbook of elements": ("heavy", lambda: heavy(BOOK, b"</sheets>", b"<a/>")),
    "a bomb": ("large", bomb),
    "laughs": ("not_a_workbook", laughs),
    "strings without end": ("heavy", lambda: heavy(STRINGS, b"</sst>", b"<si><t/></si>")),
    "cells without end": ("heavy", lambda: heavy(SHEET, b"</sheetData>", b"<c/>")),
    "rows without end": ("many_rows", lambda: heavy(SHEET, b"</sheetData>", b"<row/>")),
    "depth without end": ("heavy", lambda: heavy(SHEET, b"</sheetData>", b"<a>")),
    "one text a hundred thousand times": ("large", repeating),
}
"""Files with the reason for which each is refused; which of memory and time is over first depends on the machine."""
CHOSEN = list(HEAVY)[: count(2, len(HEAVY))]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("what", CHOSEN)
def test_a_small_file_that_takes_gigabytes_to_read_is_refused(tmp_path: Path, what: str, tally: Tally) -> None:
    path = tmp_path / "r.xlsx"
    reason, make = HEAVY[what]
    path.write_bytes(make())
    assert path.stat().st_size < workbook.MOST_BYTES
    with pytest.raises(Refused) as refused:
        apart.read(path, memory=MEMORY, seconds=SECONDS)
    assert refused.value.key.removeprefix("roster.").removeprefix("too_") in {reason, "slow", "heavy"}
    tally("S9", 1)


def test_what_is_good_is_read_as_it_is_in_this_process(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(write_tables([GOOD]))
    assert apart.read(path) == workbook.read(path, lambda: 0.0)


def test_a_refusal_comes_with_its_facts(tmp_path: Path) -> None:
    with pytest.raises(Refused) as refused:
        apart.read(tmp_path / "名册.xlsx")
    assert (refused.value.key, refused.value.facts) == ("roster.no_file", {"file": "名册.xlsx"})


def test_reading_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(heavy(SHEET, b"</sheetData>", b"<row/>"))
    with pytest.raises(Refused) as refused:
        apart.read(path, seconds=1)
    assert refused.value.key == "roster.too_slow"
