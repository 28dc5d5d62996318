"""The emulated WeCom API keeps the platform's rules, and tells a careless client from a careful one."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from wechatpy.enterprise.crypto import WeChatCrypto

from tests.emulators.wecom.api import WecomApiEmulator

TEXT = {"touser": "zhang", "msgtype": "text", "agentid": 1000002, "text": {"content": "停电"}}


class Clock:
    """Seconds since the epoch that stand until they are moved."""

    at = 1_790_000_000.0

    def __call__(self) -> float:
        return self.at


class Wire:
    """A plain client of the emulator."""

    def __init__(self, server: WecomApiEmulator, clock: Clock) -> None:
        self.server, self.clock = server, clock
        self.session = aiohttp.ClientSession()

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        async with self.session.get(f"{self.server.api_base}/cgi-bin/{path}", params=query) as answer:
            found: dict[str, Any] = await answer.json()
        return found

    async def post(self, path: str, body: Any, **query: str) -> dict[str, Any]:
        async with self.session.post(f"{self.server.api_base}/cgi-bin/{path}", json=body, params=query) as answer:
            found: dict[str, Any] = await answer.json()
        return found

    async def token(self) -> str:
        told = await self.get("gettoken", corpid=self.server.core.corp_id, corpsecret=self.server.core.secret)
        return str(told["access_token"])

    async def send(self, **body: Any) -> dict[str, Any]:
        return await self.post("message/send", TEXT | body, access_token=await self.token())


@pytest.fixture
async def wire() -> AsyncIterator[Wire]:
    clock = Clock()
    async with WecomApiEmulator(clock) as server:
        server.member("zhang", "张建国")
        opened = Wire(server, clock)
        yield opened
        await opened.session.close()


async def test_a_token_is_the_same_while_it_is_valid_and_another_afterwards(wire: Wire) -> None:
    first = await wire.token()
    assert await wire.token() == first
    wire.clock.at += 7200
    assert (await wire.post("message/send", TEXT, access_token=first))["errcode"] == 42001
    assert await wire.token() != first


@pytest.mark.parametrize("code", [40014, 42001])
async def test_a_token_may_end_before_its_time(wire: Wire, code: int) -> None:
    token = await wire.token()
    wire.server.revoke(code)
    assert (await wire.post("message/send", TEXT, access_token=token))["errcode"] == code
    assert wire.server.offences == []


async def test_wrong_credentials_are_told_apart(wire: Wire) -> None:
    assert (await wire.get("gettoken", corpid="x", corpsecret="y"))["errcode"] == 40013
    assert (await wire.get("gettoken", corpid=wire.server.core.corp_id, corpsecret="y"))["errcode"] == 40001
    assert (await wire.post("message/send", TEXT))["errcode"] == 41001


async def test_whoever_cannot_be_reached_is_named_in_lower_case(wire: Wire) -> None:
    wire.server.member("Wang", "王芳", visible=False)
    told = await wire.send(touser="zhang|Wang|Nobody")
    assert (told["errcode"], told["invaliduser"]) == (0, "wang|nobody")
    assert (await wire.send(touser="Wang"))["errcode"] == 81013
    assert [sent.to for sent in wire.server.sent] == [("zhang",)]


async def test_the_same_bytes_are_one_message_within_the_interval(wire: Wire) -> None:
    same = {"enable_duplicate_check": 1, "duplicate_check_interval": 1800}
    first = await wire.send(**same)
    assert await wire.send(**same) == first
    await wire.send(duplicate_check_interval=1800, enable_duplicate_check=1)
    assert len(wire.server.sent) == 2
    wire.clock.at += 1800
    await wire.send(**same)
    await wire.send()
    await wire.send()
    assert len(wire.server.sent) == 5


async def test_what_is_too_fast_for_a_member_is_dropped_without_a_word(wire: Wire) -> None:
    for _ in range(31):
        assert (await wire.send())["errcode"] == 0
    assert [sent.to for sent in wire.server.sent].count(("zhang",)) == 30
    assert wire.server.sent[-1].dropped == ("zhang",)


CARD = {
    "card_type": "button_interaction",
    "main_title": {"title": "待接单"},
    "task_id": "t1",
    "button_list": [{"text": "接单", "key": "accept"}],
}


@pytest.mark.parametrize(
    "body",
    [
        {"agentid": "1000002"},
        {"touser": ""},
        {"text": {"content": ""}},
        {"text": {"content": "停" * 683}},
        {"msgtype": "markdown", "markdown": {"content": "x" * 2049}},
        {"msgtype": "sticker"},
        {"duplicate_check_interval": 14401},
        {"msgtype": "template_card", "template_card": CARD | {"task_id": "a b"}},
        {"msgtype": "template_card", "template_card": CARD | {"button_list": []}},
        {"msgtype": "template_card", "template_card": CARD | {"card_type": "text_notice"}},
        {"msgtype": "template_card", "template_card": CARD | {"main_title": {"title": "长" * 37}}},
    ],
)
async def test_a_careless_body_is_refused_and_noted(wire: Wire, body: dict[str, Any]) -> None:
    bare = {name: value for name, value in TEXT.items() if name != "text" or "msgtype" not in body}
    assert (await wire.post("message/send", bare | body, access_token=await wire.token()))["errcode"] == 40058
    assert len(wire.server.offences) == 1


async def test_a_task_id_is_used_once(wire: Wire) -> None:
    card = {"touser": "zhang", "msgtype": "template_card", "agentid": 1000002, "template_card": CARD}
    token = await wire.token()
    assert (await wire.post("message/send", card, access_token=token))["response_code"]
    assert (await wire.post("message/send", card, access_token=token))["errcode"] == 40058


async def test_a_response_code_updates_a_card_once(wire: Wire) -> None:
    card = {"touser": "zhang", "msgtype": "template_card", "agentid": 1000002, "template_card": CARD}
    token = await wire.token()
    code = (await wire.post("message/send", card, access_token=token))["response_code"]
    update = {"userids": ["zhang"], "agentid": 1000002, "response_code": code, "button": {"replace_name": "已接单"}}
    assert (await wire.post("message/update_template_card", update, access_token=token))["errcode"] == 0
    assert (await wire.post("message/update_template_card", update, access_token=token))["errcode"] == 72021


async def test_a_message_is_recalled(wire: Wire) -> None:
    told = await wire.send()
    token = await wire.token()
    assert (await wire.post("message/recall", {"msgid": told["msgid"]}, access_token=token))["errcode"] == 0
    assert wire.server.core.recalled == {told["msgid"]}


async def test_a_file_is_uploaded_and_fetched(wire: Wire) -> None:
    token, form = await wire.token(), aiohttp.FormData()
    form.add_field("media", b"content of a file", filename="台账.xlsx")
    address = f"{wire.server.api_base}/cgi-bin/media/upload?type=file&access_token={token}"
    async with wire.session.post(address, data=form) as answer:
        told = await answer.json()
    fetched = f"{wire.server.api_base}/cgi-bin/media/get?media_id={told['media_id']}&access_token={token}"
    async with wire.session.get(fetched) as answer:
        assert await answer.read() == b"content of a file"


async def test_a_code_tells_once_and_for_five_minutes_who_it_is(wire: Wire) -> None:
    token = await wire.token()
    code, late = wire.server.authorizes("zhang"), wire.server.authorizes("zhang")
    assert (await wire.get("auth/getuserinfo", access_token=token, code=code))["userid"] == "zhang"
    assert (await wire.get("auth/getuserinfo", access_token=token, code=code))["errcode"] == 40029
    wire.clock.at += 301
    assert (await wire.get("auth/getuserinfo", access_token=token, code=late))["errcode"] == 40029


async def test_a_member_has_a_name(wire: Wire) -> None:
    assert (await wire.get("user/get", access_token=await wire.token(), userid="zhang"))["name"] == "张建国"
    assert (await wire.get("user/get", access_token=await wire.token(), userid="x"))["errcode"] == 60111


async def test_a_robot_says_twenty_things_a_minute_with_a_known_key(wire: Wire) -> None:
    key = wire.server.robot("k1")
    body = {"msgtype": "text", "text": {"content": "请看", "mentioned_list": ["zhang"]}}
    told = [(await wire.post("webhook/send", body, key=key))["errcode"] for _ in range(21)]
    assert told == [0] * 20 + [45009]
    assert (await wire.post("webhook/send", body, key="other"))["errcode"] == 93000
    assert wire.server.posts[0].mentioned == ("zhang",)
    assert (await wire.post("webhook/send", {"msgtype": "text", "text": {"content": "x" * 2049}}, key=key))["errcode"]
    assert len(wire.server.offences) == 1


async def test_faults_spoil_an_answer_before_or_after_the_effect(wire: Wire) -> None:
    token = await wire.token()
    wire.server.fault("message/send", code=-1)
    assert (await wire.post("message/send", TEXT, access_token=token))["errcode"] == -1
    wire.server.fault("message/send", answer="none", effect=True)
    with pytest.raises(aiohttp.ClientError):
        await wire.post("message/send", TEXT, access_token=token)
    assert len(wire.server.sent) == 1


def test_callbacks_are_encrypted_as_an_independent_library_reads_them() -> None:
    server = WecomApiEmulator()
    core = server.core
    callback = server.message("zhang", "text", Content="停电 & <b>")
    oracle = WeChatCrypto(core.token, core.aes_key, core.corp_id)
    plain = oracle.decrypt_message(callback.body, callback.signature, callback.timestamp, callback.nonce)
    assert "停电 & <b>" in (plain.decode() if isinstance(plain, bytes) else plain)
