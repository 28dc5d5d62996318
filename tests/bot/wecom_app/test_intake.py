"""The callback address: what is WeCom's is kept once, and nothing else is so much as decrypted."""

import random
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from types import FrameType
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.channel import NotKept
from bot.channels.wecom_app import cipher, intake
from bot.channels.wecom_app.letters import fields_of
from tests.bot.wecom_app.desks import Line, called, line
from tests.emulators.wecom.api import Callback
from tests.emulators.wecom.api.crypt import encrypt, signature
from tests.needs import count
from tests.summary import Tally

BARE = "<!DOCTYPE xml><xml><MsgId>1</MsgId></xml>"
DOCTYPE = '<!DOCTYPE xml [<!ENTITY x SYSTEM "file:///etc/hostname">]><xml><FromUserName>&x;</FromUserName></xml>'


@pytest.fixture
async def wire() -> AsyncIterator[Line]:
    async with line() as opened, called(opened):
        yield opened


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the cipher was asked to open."""
    asked: list[str] = []

    def noting(key: str, encrypted: str, receiver: str) -> bytes:
        asked.append(encrypted)
        return cipher.decrypt(key, encrypted, receiver)

    monkeypatch.setattr(intake, "decrypt", noting)
    return asked


def texts(wire: Line) -> list[str]:
    return [row.body["message"].get("Content", "") for row in wire.rows]


async def test_what_a_member_says_is_kept_under_its_id_with_his_name(wire: Line) -> None:
    assert await wire.server.says("zhang", "停电 & <了>") == 200
    (row,) = wire.rows
    assert (row.chat, row.body["name"], texts(wire)) == ("zhang", "张建国", ["停电 & <了>"])
    assert row.external_id == row.body["message"]["MsgId"]
    assert wire.server.caller.answers == [(200, b"")]


async def test_the_console_of_wecom_may_try_the_address(wire: Line) -> None:
    assert await wire.server.caller.deliver(wire.server.caller.verification("6412345")) == 200
    assert wire.server.caller.answers == [(200, b"6412345")]
    forged = replace(wire.server.caller.verification("x"), nonce="other")
    assert await wire.server.caller.deliver(forged, tries=1) == 403


async def test_a_name_that_does_not_come_in_time_holds_nobody_up(wire: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    assert await wire.server.says("li", "有人吗") == 200  # a token is at hand from now on
    monkeypatch.setattr("bot.channels.wecom_app.NAME_SECONDS", 0.02)
    wire.server.fault("user/get", answer="hang")
    assert await wire.server.says("zhang", "停电") == 200
    monkeypatch.setattr("bot.channels.wecom_app.NAME_SECONDS", 30.0)
    assert await wire.server.says("zhang", "还没来电") == 200
    assert [row.body["name"] for row in wire.rows[1:]] == ["", "张建国"]


async def test_while_nothing_can_be_kept_wecom_comes_again(wire: Line) -> None:
    wire.desk.trouble = [NotKept("the disk is full"), NotKept("the disk is full")]
    assert await wire.server.says("zhang", "停电") == 200
    assert [status for status, _ in wire.server.caller.answers] == [503, 503, 200]
    assert texts(wire) == ["停电"]


async def test_a_message_that_comes_again_in_another_envelope_is_one(wire: Line) -> None:
    fields = {"ToUserName": wire.server.core.corp_id, "FromUserName": "zhang", "MsgType": "text", "Content": "停电"}
    for _ in range(2):
        call = wire.server.caller.make({**fields, "CreateTime": 1, "MsgId": 77})
        assert await wire.server.caller.deliver(call) == 200
    assert texts(wire) == ["停电"]


async def test_events_are_told_apart_by_who_when_which_and_where(wire: Line) -> None:
    for user, key in (("zhang", "a"), ("zhang", "a"), ("zhang", "b"), ("li", "a")):
        await wire.server.caller.deliver(wire.server.event(user, "template_card_event", EventKey=key, TaskId="t"))
    assert len(wire.rows) == 3


# What is refused ------------------------------------------------------------------------------------------------
def attacks(wire: Line, count: int) -> Iterator[tuple[str, Callback]]:
    """Forged, stale and bit-flipped calls in turn."""
    chance = random.Random(20261121)
    caller, corp = wire.server.caller, wire.server.core.corp_id
    for number in range(count):
        fields = {"ToUserName": corp, "FromUserName": "zhang", "MsgType": "text", "Content": "假", "MsgId": number}
        good = caller.make(fields)
        yield from (
            ("forged", caller.make(fields, token=f"guess-{number}")),
            ("forged", replace(good, signature="")),
            ("forged", replace(good, nonce=f"{good.nonce}0")),
            ("forged", replace(good, timestamp=str(int(good.timestamp) + 1))),
            ("stale", caller.make(fields, age=301 + number)),
            ("stale", caller.make(fields, age=-301 - number)),
            ("flipped", good.bent(chance.randrange(len(good.body) * 8))),
            ("flipped", replace(good, signature=_bent(good.signature, chance))),
        )


def _bent(text: str, chance: random.Random) -> str:
    at = chance.randrange(len(text))
    return text[:at] + chr(ord(text[at]) ^ 1) + text[at + 1 :]


async def test_of_200_forged_stale_and_bent_callbacks_none_is_opened(
    wire: Line, opened: list[str], tally: Tally
) -> None:
    tried = [call for _, call in attacks(wire, 25)]
    assert len(tried) == 200
    for call in tried:
        assert await wire.server.caller.deliver(call, tries=1) == 403
    assert (opened, wire.rows, wire.desk.marks) == ([], [], set())
    assert set(wire.server.caller.answers) == {(403, b"not for you")}
    tally("S11", len(tried))


async def test_every_bit_of_an_envelope_counts(wire: Line, opened: list[str], tally: Tally) -> None:
    good = wire.server.message("zhang", "text", Content="真")
    routes = httpx.ASGITransport(app=_app(wire))
    async with httpx.AsyncClient(transport=routes, base_url="http://x") as client:
        for bit in range(0, len(good.body) * 8, 5):
            bent = good.bent(bit)
            answer = await client.post(intake.PATH, params=bent.query, content=bent.body)
            assert answer.status_code == 403
    assert (opened, wire.rows) == ([], [])
    tally("S11", len(range(0, len(good.body) * 8, 5)))


def _app(wire: Line) -> Starlette:
    return Starlette(routes=list(wire.channel.routes(wire.desk)))


async def test_a_callback_counts_once(wire: Line) -> None:
    calls = [wire.server.message("zhang", "text", Content=str(number)) for number in range(50)]
    for call in calls:
        assert await wire.server.caller.deliver(call, tries=1) == 200
    for call in calls:
        assert await wire.server.caller.deliver(call, tries=1) == 403
    assert len(wire.rows) == 50


@pytest.mark.parametrize(
    "how",
    [
        {"receiver": "ww-somebody-else"},
        {"key": "Z" * 42 + "A"},
        {"padding": b""},
        {"padding": b"\x00" * 32},
        {"padding": b"\x21" * 33},
        {"padding": b"\x01" * 15 + b"\x02"},
    ],
)
async def test_nobody_learns_what_was_wrong_inside(wire: Line, how: dict[str, Any]) -> None:
    xml = "<xml>" + "x" * 300 + "</xml>"
    if "padding" in how:
        missing = -(16 + 4 + len(xml) + len(wire.server.core.corp_id) + len(how["padding"])) % 16
        xml = "<xml>" + "x" * (300 + missing) + "</xml>"
    call = wire.server.caller.make(xml, **how)
    assert await wire.server.caller.deliver(call, tries=1) == 403
    assert wire.server.caller.answers == [(403, b"not for you")]


def spoiled(wire: Line, number: int, chance: random.Random) -> Callback:
    """A call with a good signature and something wrong inside: the padding, the receiver, or the length."""
    xml = "<xml>" + "x" * chance.randrange(200, 400) + "</xml>"
    receiver = wire.server.core.corp_id
    if number % 2:
        other = "".join(chance.choice("abcdef0123456789") for _ in range(chance.choice((len(receiver), 5, 30))))
        return wire.server.caller.make(xml, receiver=other)
    last = chance.choice((0, *range(33, 256), *range(1, 33)))
    padding = bytes(chance.randrange(256) for _ in range(chance.randrange(1, 33))) + bytes([last])
    if last in range(1, 33) and padding.endswith(bytes([last]) * last):
        padding += b"\0"
    missing = -(16 + 4 + len(xml) + len(receiver) + len(padding)) % 16
    return wire.server.caller.make("<xml>" + "x" * (len(xml) - 11 + missing) + "</xml>", padding=padding)


async def test_of_1000_bad_paddings_and_receivers_none_is_answered_otherwise(wire: Line, tally: Tally) -> None:
    """Nobody who can sign, and so replay what he has changed, learns from an answer which of them was wrong."""
    chance, many = random.Random(20261121), count(250, 1000)
    answers = set()
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=_app(wire)), base_url="http://x") as client:
        for number in range(many):
            call = spoiled(wire, number, chance)
            answer = await client.post(intake.PATH, params=call.query, content=call.body)
            answers.add((answer.status_code, answer.content, tuple(sorted(answer.headers.items()))))
    assert len(answers) == 1
    assert {status for status, _, _ in answers} == {403}
    assert (wire.rows, wire.desk.marks) == ([], set())
    tally("S11", many)


def steps(call: Callback, wire: Line) -> list[int]:
    """The lines of the cipher that a call runs through, up to its refusal."""
    ran: list[int] = []

    def note(frame: FrameType, event: str, _: object) -> Any:
        if frame.f_code.co_filename == cipher.__file__:
            ran.append(frame.f_lineno)
            return note
        return None

    sealed = fields_of(call.body)["Encrypt"]
    before = sys.gettrace()
    sys.settrace(note)
    try:
        with suppress(cipher.Forged):
            cipher.decrypt(wire.server.core.aes_key, sealed, wire.server.core.corp_id)
            raise AssertionError("it was opened")
    finally:
        sys.settrace(before)
    return ran


async def test_whatever_is_wrong_inside_the_same_steps_are_gone_through(wire: Line) -> None:
    chance = random.Random(20261121)
    ways = {tuple(steps(spoiled(wire, number, chance), wire)) for number in range(60)}
    assert len(ways) == 1


@pytest.mark.parametrize(
    "xml", [DOCTYPE, BARE, "no xml", "<xml><FromUserName>zhang</xml>", "<xml>" + "<a/>" * 300 + "</xml>"]
)
async def test_entities_and_broken_xml_are_refused_inside_and_outside(wire: Line, xml: str) -> None:
    assert await wire.server.caller.deliver(wire.server.caller.make(xml), tries=1) == 403
    outside = replace(wire.server.message("zhang", "text", Content="x"), body=xml.encode())
    assert await wire.server.caller.deliver(outside, tries=1) == 403
    assert wire.rows == []


async def test_a_flood_is_not_read(wire: Line) -> None:
    good = wire.server.message("zhang", "text", Content="x")
    flood = good.body.replace(b"</xml>", b" " * (1 << 20) + b"</xml>")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=_app(wire)), base_url="http://x") as client:
        assert (await client.post(intake.PATH, params=good.query, content=flood)).status_code == 403
        assert (await client.post(intake.PATH, params=good.query, content=good.body)).status_code == 200


@pytest.mark.parametrize("timestamp", ["", "now", "-5", "１２３", "9" * 40, "1e9"])
async def test_a_time_that_is_none_is_refused(wire: Line, timestamp: str, opened: list[str]) -> None:
    core = wire.server.core
    good = wire.server.message("zhang", "text", Content="x")
    sealed = fields_of(good.body)["Encrypt"]
    signed = replace(good, timestamp=timestamp, signature=signature(core.token, timestamp, good.nonce, sealed))
    assert await wire.server.caller.deliver(signed, tries=1) == 403
    assert opened == []


# The cipher -----------------------------------------------------------------------------------------------------
async def test_the_cipher_reads_what_an_independent_library_wrote(wire: Line) -> None:
    core = wire.server.core
    oracle = WeChatCrypto(core.token, core.aes_key, core.corp_id)
    for length in range(64):
        words = "停" * length
        envelope = fields_of(oracle.encrypt_message(words, "nonce", "1790000000").encode())
        sealed = envelope["Encrypt"]
        assert cipher.is_signed(core.token, envelope["MsgSignature"], "1790000000", "nonce", sealed)
        assert cipher.decrypt(core.aes_key, sealed, core.corp_id).decode() == words


def test_every_wrong_byte_of_a_sealed_text_ends_the_same_way() -> None:
    key, said = "a" * 42 + "A", set()
    sealed = encrypt(key, b"<xml/>" * 10, "ww1")
    for at in range(0, len(sealed), 3):
        bent = sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :]
        try:
            found = cipher.decrypt(key, bent, "ww1")
        except cipher.Forged as error:
            said.add(str(error))
        else:
            assert found != b"<xml/>" * 10 or at < 24  # the random head tells nothing
    assert len(said) == 1
