"""Files that came along with messages are fetched and kept, or lost with a cause that can be told."""

import asyncio
import hashlib

import pytest

from bot.channels import telegram
from bot.desk import FrontDesk
from domain.chat import Attachment, LostFile
from storage.open import open_database
from tests.bot.telegram.desks import Line, NoteDesk, line

PAPER = ("电费单.pdf", b"%PDF-1.7 electricity", "application/pdf")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram, "FETCH_PAUSE", 0.001)


async def handed_in(wire: Line, claimed_size: int | None = None) -> str:
    """The handle of a file that somebody has sent."""
    await wire.server.says(wire.zhang, document=PAPER, claimed_size=claimed_size)
    return str(wire.server.unconfirmed[-1]["message"]["document"]["file_id"])


def fetches(wire: Line) -> int:
    return [call.method for call in wire.server.calls].count("getFile")


async def test_a_file_is_fetched_and_kept_as_it_is() -> None:
    async with line() as wire:
        desk = NoteDesk()
        await wire.server.says(wire.zhang, document=("电费单.pdf", b"%PDF-1.7 electricity", "application/pdf"))
        (update,) = wire.server.unconfirmed
        got = await wire.channel.fetch(update["message"]["document"]["file_id"], desk)
        assert isinstance(got, Attachment)
        assert [content for content, _ in desk.files] == [b"%PDF-1.7 electricity"]


@pytest.mark.parametrize(
    "description, key",
    [("Bad Request: file is too big", "file.too_large"), ("Bad Request: wrong file_id", "file.unreachable")],
)
async def test_a_file_that_telegram_does_not_hand_over_is_lost_with_its_cause(description: str, key: str) -> None:
    async with line() as wire:
        wire.server.fault("getFile", status=400, description=description)
        lost = await wire.channel.fetch("F", NoteDesk())
        assert isinstance(lost, LostFile)
        assert lost.cause.key == key


async def test_a_file_server_that_stays_down_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(telegram, "FETCH_PAUSE", 0.0)
    async with line() as wire:
        wire.server.outage(502)
        lost = await wire.channel.fetch("F", NoteDesk())
        assert isinstance(lost, LostFile)
        assert lost.cause.key == "file.unreachable"
        assert [call.method for call in wire.server.calls].count("getFile") == telegram.FETCH_TRIES


async def test_a_file_is_kept_by_its_content() -> None:
    database = await open_database("sqlite:///:memory:")
    desk = FrontDesk(database, NoteDesk().now, lambda: None)
    async with line() as wire:
        got = [await wire.channel.fetch(await handed_in(wire), desk) for _ in range(2)]
    assert [each.hash for each in got if isinstance(each, Attachment)] == [hashlib.sha256(PAPER[1]).hexdigest()] * 2
    assert await desk.file(hashlib.sha256(PAPER[1]).hexdigest()) == PAPER[1]
    await database.close()


async def test_a_file_that_turns_out_too_large_is_lost_with_the_limit() -> None:
    async with line() as wire:
        lost = await wire.channel.fetch(await handed_in(wire, claimed_size=21_000_000), NoteDesk())
        assert isinstance(lost, LostFile)
        assert (lost.cause.key, lost.cause.facts) == ("file.too_large", {"most": 20})
        assert fetches(wire) == 1


async def test_a_link_that_has_run_out_is_asked_for_anew() -> None:
    async with line() as wire:
        handle = await handed_in(wire)
        wire.server.fault("download", status=404)
        assert isinstance(await wire.channel.fetch(handle, NoteDesk()), Attachment)
        assert fetches(wire) == 2


@pytest.mark.parametrize("method", ["getFile", "download"])
@pytest.mark.parametrize("fault", [{"status": 502}, {"answer": "none"}, {"status": 504}])
async def test_a_server_that_stumbles_twice_is_asked_a_third_time(method: str, fault: dict[str, object]) -> None:
    async with line() as wire:
        handle = await handed_in(wire)
        wire.server.fault(method, times=telegram.FETCH_TRIES - 1, **fault)  # type: ignore[arg-type]  # spelled out above
        desk = NoteDesk()
        assert isinstance(await wire.channel.fetch(handle, desk), Attachment)
        assert [content for content, _ in desk.files] == [PAPER[1]]


async def test_who_is_asked_to_wait_before_a_download_waits_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    plain = asyncio.sleep

    async def sleep(seconds: float) -> None:
        waited.append(seconds)
        await plain(0)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    async with line() as wire:
        handle = await handed_in(wire)
        wire.server.fault("getFile", status=429, retry_after=17)
        assert isinstance(await wire.channel.fetch(handle, NoteDesk()), Attachment)
    assert 17 in waited
