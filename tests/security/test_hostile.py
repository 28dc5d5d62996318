"""Hostile files, names, envelopes, depths: taken for what they are, served so that they do nothing, or turned away."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot import workbook
from bot.web.guard import CALLBACK_BODY
from domain.errors import Refused
from domain.words import MOST_NAME, shown_file
from tests.bot.telegram.desks import UPDATE, NoteDesk
from tests.bot.telegram.test_webhook import KNOWN, PATH, SECRET, door
from tests.security.hostile import NAMES, PNG, POLYGLOTS, REFUSED, bomb, laughs
from tests.security.test_origins import SECRET as WEBHOOK_SECRET
from tests.security.test_origins import whole_server
from tests.summary import Tally
from tests.webtown import Town, fresh, open_town

HEADER = "x-telegram-bot-api-secret-token"
DEEP = "[" * 30_000
FORGED_SECRETS = (
    *(SECRET[:cut] for cut in range(len(SECRET))),
    *(SECRET[:cut] + "x" + SECRET[cut + 1 :] for cut in range(len(SECRET))),
    *(SECRET + more for more in ("0", " x", "\t1", "%00")),
    *(SECRET.upper(), SECRET[::-1], SECRET * 2, "null", "None", "true", "0", "*", "' OR 1=1", "Bearer " + SECRET),
)
BODIES = (
    "",
    "{",
    "[]",
    "7",
    "null",
    DEEP,
    '{"a":' * 20_000,
    "{}",
    '{"update_id": null}',
    '{"update_id": -1}',
    '{"update_id": 1.5}',
    '{"update_id": "1"}',
    '{"update_id": true}',
    '{"update_id": []}',
    "\x00",
    "<xml/>",
    '{"update_id": NaN}',
    '[{"update_id": 1}]',
    '"update_id"',
    "{'update_id': 1}",
    '{"message": {}}',
    "ok",
    "1e999",
    '{"update_id": {}}',
    '{"Update_id": 1}',
    "﻿{}",
)


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


async def sent(town: Town, name: str, content: bytes) -> tuple[int, str]:
    """A file sent from the page: the status, and where it can be fetched."""
    town.machine.on(seconds=60)
    url = f"/api/chat/rooms/{await town.private('张建国')}/say"
    async with await town.browser_of("张建国") as browser:
        answer = await browser.post(
            url, data={"id": fresh(), "text": "看"}, files={"files": (name, content, "image/png")}
        )
    hashes = [row["hash"] for row in await town.all("SELECT hash FROM files")]
    return answer.status_code, hashes[-1] if hashes else ""


@pytest.mark.parametrize("name, content", REFUSED, ids=range(len(REFUSED)))
async def test_what_a_park_does_not_need_is_not_kept(town: Town, name: str, content: bytes, tally: Tally) -> None:
    status, kept = await sent(town, name, content)
    assert (status, kept) == (415, "")
    assert await town.inbox() == []
    tally("S9", 1)


@pytest.mark.parametrize("name, content", POLYGLOTS, ids=range(len(POLYGLOTS)))
async def test_what_is_two_things_at_once_is_served_as_one_that_does_nothing(
    town: Town, name: str, content: bytes, tally: Tally
) -> None:
    status, kept = await sent(town, name, content)
    tally("S9", 1)
    async with await town.browser_of("张建国") as browser:
        answer = await browser.get(f"/files/{kept}")
    assert (status, answer.status_code) == (200, 200)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["content-type"].split(";")[0] in ("image/png", "image/gif", "image/jpeg", "application/pdf")
    assert answer.headers["content-disposition"].startswith(
        "inline" if "image" in answer.headers["content-type"] else "att"
    )


@pytest.mark.parametrize("name", NAMES, ids=range(len(NAMES)))
async def test_a_name_leads_nowhere(town: Town, name: str, tally: Tally) -> None:
    safe = shown_file(name)
    tally("S9", 1)
    assert safe
    assert len(safe) <= MOST_NAME
    assert not set(safe) & set('/\\"\r\n\0\u202e')
    assert safe.strip(". ") == safe
    _, kept = await sent(town, name or "x", PNG)
    async with await town.browser_of("张建国") as browser:
        shown = (await browser.get(f"/files/{kept}")).headers["content-disposition"]
    assert "filename*=UTF-8''" in shown
    assert not set(shown) & set('/\\"\r\n<>')


@pytest.mark.parametrize("make", [bomb, laughs])
def test_a_workbook_that_grows_is_refused_before_it_does(tmp_path: Path, make: object) -> None:
    path = tmp_path / "r.xlsx"
    path.write_bytes(make())  # type: ignore[operator]  # one of two functions
    with pytest.raises(Refused):
        workbook.read(path, lambda: 0.0)


async def test_a_forged_secret_opens_no_webhook(tally: Tally) -> None:
    desk = NoteDesk()
    async with door(desk) as client:
        answers = [
            await client.post(PATH, json=UPDATE, headers={HEADER: one}) for one in FORGED_SECRETS if one != SECRET
        ]
    assert {answer.status_code for answer in answers} == {403}
    assert (len(answers) >= 34, desk.rows) == (True, [])
    tally("S10", len(answers))


async def test_what_is_no_update_is_turned_away_even_with_the_secret(tally: Tally) -> None:
    desk = NoteDesk()
    async with door(desk) as client:
        answers = [await client.post(PATH, content=body.encode(), headers=KNOWN) for body in BODIES]
    assert {answer.status_code for answer in answers} == {400}
    assert (len(answers) >= 26, desk.rows) == (True, [])
    tally("S10", len(answers))


async def test_more_than_a_megabyte_is_not_read_whatever_length_is_told(tally: Tally) -> None:
    """At the address where it stands in the program: behind the gate, which also counts what comes without a length."""
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while len(read) < 1000:
            read.append(64 * 1024)
            yield b" " * 64 * 1024

    async with whole_server() as (town, desk, _), town.browser() as browser:
        for path in ("/channels/telegram/x7k2", "/channels/wecom_app"):
            known = {HEADER: WEBHOOK_SECRET}
            told = await browser.post(path, content=b"x" * (CALLBACK_BODY + 1), headers=known)
            untold = await browser.post(path, content=endless(), headers=known)
            assert [answer.status_code for answer in (told, untold)] == [413, 413]
            assert sum(read) <= CALLBACK_BODY + 128 * 1024
            read.clear()
        assert desk.rows == []
    tally("S10", 4)


async def test_depth_is_no_way_to_break_a_page(town: Town) -> None:
    async with await town.browser_of("张建国") as browser:
        for url in ("press", "read"):
            path = f"/api/chat/rooms/{await town.private('张建国')}/{url}"
            answer = await browser.post(path, content=DEEP, headers={"Content-Type": "application/json"})
            assert (answer.status_code, json.loads(answer.text)["code"]) == (400, "malformed")
