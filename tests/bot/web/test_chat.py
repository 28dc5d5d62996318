"""What people see, say and press on the chat page."""

import json
from collections.abc import AsyncIterator

import pytest

from bot.channel import Parcel, Undeliverable
from bot.channels.web import WebChannel
from domain.chat import Attachment
from storage.sessions import IDLE
from tests.webtown import PNG, Town, document, fresh, open_town, words


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


async def test_the_page_is_told_who_one_is_with_rooms_chips_and_where_the_stream_begins(town: Town) -> None:
    await town.bot_says(town.rooms["宏达群"], "大家好")
    async with await town.browser_of("张建国") as browser:
        state = (await browser.get("/api/chat/state")).json()
    assert state["me"]["name"] == "张建国"
    assert [room["name"] for room in state["rooms"]] == ["联企办事助手", "宏达群", "片区群"]
    assert state["rooms"][1]["last"]["text"] == "大家好"
    assert state["rooms"][1]["unread"] == 1
    assert [chip["label"] for chip in state["chips"]] == ["诉求", "咨询", "我的", "帮助"]
    assert (state["serial"], state["today"]) == (1, "3月11日（周三）")


@pytest.mark.parametrize(
    "name, chips",
    [("王敏", ["待办", "进度", "进展", "帮助"]), ("周主任", ["待办", "日报", "台账", "进度", "帮助"])],
)
async def test_chips_fit_the_role(town: Town, name: str, chips: list[str]) -> None:
    async with await town.browser_of(name) as browser:
        state = (await browser.get("/api/chat/state")).json()
    assert [chip["label"] for chip in state["chips"]] == chips


async def test_what_one_says_is_posted_and_comes_in_at_once(town: Town) -> None:
    room = await town.private("张建国")
    async with await town.browser_of("张建国") as browser:
        made = (await browser.post(f"/api/chat/rooms/{room}/say", **words("诉求 车间电压低"))).json()["post"]
    assert (made["text"], made["who"]["kind"], made["time"], made["day"]) == (
        "诉求 车间电压低", "me", "10:30", "3月11日（周三）"
    )  # fmt: skip
    assert town.wakes == [1]
    [body] = await town.inbox()
    said = WebChannel(town.context.board).read(body, town.civil())
    assert said is not None
    assert (said.chat, said.private, said.text, said.message_id) == (
        f"private-{town.people['张建国']}", True, "诉求 车间电压低", str(made["id"])
    )  # fmt: skip
    assert (said.sender, said.sender_name, said.addressed) == (f"张建国-{town.people['张建国']}", "张建国", False)


async def test_a_form_sent_twice_has_one_effect(town: Town) -> None:
    room, form = await town.private("张建国"), words("诉求 停电")
    async with await town.browser_of("张建国") as browser:
        first = (await browser.post(f"/api/chat/rooms/{room}/say", **form)).json()["post"]
        again = (await browser.post(f"/api/chat/rooms/{room}/say", **form)).json()["post"]
        talk = (await browser.get(f"/api/chat/rooms/{room}/posts")).json()["posts"]
    assert again["id"] == first["id"]
    assert [post["id"] for post in talk] == [first["id"]]
    assert len(await town.inbox()) == 1


async def test_the_id_of_somebody_elses_form_is_no_key_to_his_message(town: Town) -> None:
    form, group = words("我们的秘密"), town.rooms["片区群"]
    async with await town.browser_of("张建国") as his, await town.browser_of("李芳") as hers:
        await his.post(f"/api/chat/rooms/{await town.private('张建国')}/say", **form)
        made = await hers.post(f"/api/chat/rooms/{group}/say", data={"id": form["data"]["id"], "text": "大家好"})
    assert made.json()["post"]["text"] == "大家好"


async def test_a_group_sees_what_its_members_say_with_name_and_firm(town: Town) -> None:
    group = town.rooms["片区群"]
    async with await town.browser_of("张建国") as his, await town.browser_of("李芳") as hers:
        await his.post(f"/api/chat/rooms/{group}/say", **words("早上好"))
        [post] = (await hers.get(f"/api/chat/rooms/{group}/posts")).json()["posts"]
    assert (post["text"], post["who"]) == ("早上好", {"kind": "firm", "name": "张建国", "note": "宏达机械"})


@pytest.mark.parametrize("text, addressed", [("@联企 诉求 停电", True), ("＠Lianqi my", True), ("联企真好", False)])
async def test_the_bot_is_addressed_by_its_name(town: Town, text: str, addressed: bool) -> None:
    async with await town.browser_of("张建国") as browser:
        await browser.post(f"/api/chat/rooms/{town.rooms['宏达群']}/say", **words(text))
    assert (await town.inbox())[0]["addressed"] is addressed


async def test_a_reply_names_the_message_and_shows_it(town: Town) -> None:
    group = town.rooms["宏达群"]
    asked = await town.bot_says(group, "#12 请补充")
    async with await town.browser_of("张建国") as browser:
        made = await browser.post(f"/api/chat/rooms/{group}/say", **words("在3号楼", reply_to=asked))
    assert made.json()["post"]["quote"] == {"id": asked, "name": "联企", "text": "#12 请补充"}
    [body] = await town.inbox()
    assert (body["reply_to"], body["addressed"]) == (str(asked), True)


async def test_one_cannot_reply_to_a_message_of_another_room(town: Town) -> None:
    elsewhere = await town.bot_says(await town.private("李芳"), "秘密")
    async with await town.browser_of("张建国") as browser:
        refused = await browser.post(f"/api/chat/rooms/{town.rooms['片区群']}/say", **words("?", reply_to=elsewhere))
    assert refused.status_code == 404
    assert not await town.inbox()


async def test_a_pressed_button_comes_in_with_its_data_and_posts_nothing(town: Town) -> None:
    room = await town.private("王敏")
    shown = await town.bot_says(room, "【待接单】#12", "接单", "退单")
    press = {"id": fresh(), "post": shown, "data": "data-接单"}
    async with await town.browser_of("王敏") as browser:
        for _ in range(2):
            assert (await browser.post(f"/api/chat/rooms/{room}/press", json=press)).status_code == 200
        talk = (await browser.get(f"/api/chat/rooms/{room}/posts")).json()["posts"]
    assert [post["keys"][0][0]["label"] for post in talk] == ["接单"]
    [body] = await town.inbox()
    assert (body["button"], body["message_id"]) == ("data-接单", str(shown))


@pytest.mark.parametrize("data, status", [("data-办结", 409), ("", 409)])
async def test_a_button_that_the_message_does_not_show_cannot_be_pressed(town: Town, data: str, status: int) -> None:
    room = await town.private("王敏")
    shown = await town.bot_says(room, "#12", "接单")
    async with await town.browser_of("王敏") as browser:
        answer = await browser.post(f"/api/chat/rooms/{room}/press", json={"id": fresh(), "post": shown, "data": data})
    assert answer.status_code == status
    assert not await town.inbox()


async def test_unread_ends_where_one_has_read(town: Town) -> None:
    room = await town.private("张建国")
    last = [await town.bot_says(room, text) for text in "一二"][-1]

    async def unread() -> int:
        return int((await browser.get("/api/chat/state")).json()["rooms"][0]["unread"])

    async with await town.browser_of("张建国") as browser:
        assert await unread() == 2
        for post in (last, last - 1):  # a late answer takes nothing back
            assert (await browser.post(f"/api/chat/rooms/{room}/read", json={"post": post})).status_code == 204
        assert await unread() == 0
        await browser.post(f"/api/chat/rooms/{room}/read", json={"post": 999})
        await town.bot_says(room, "三")
        assert await unread() == 1


async def test_long_talk_comes_in_pages(town: Town) -> None:
    room = await town.private("张建国")
    ids = [await town.bot_says(room, str(number)) for number in range(53)]
    async with await town.browser_of("张建国") as browser:
        newest = (await browser.get(f"/api/chat/rooms/{room}/posts")).json()
        older = (await browser.get(f"/api/chat/rooms/{room}/posts?before={newest['posts'][0]['id']}")).json()
    assert [post["id"] for post in older["posts"] + newest["posts"]] == ids
    assert (newest["more"], older["more"]) == (True, False)


class TestTheChannel:
    async def test_sends_a_row_once_however_often(self, town: Town) -> None:
        room = await town.private("张建国")
        parcel = Parcel(await town.owed(room), room, "", "send", "已登记 #1", documents=(document(),))
        channel = WebChannel(town.context.board)
        assert await channel.send(parcel) == await channel.send(parcel)
        async with await town.browser_of("张建国") as browser:
            [post] = (await browser.get(f"/api/chat/rooms/{room}/posts")).json()["posts"]
            kept = await browser.get(f"/files/{post['files'][0]['hash']}")
        assert post["who"]["kind"] == "bot"
        assert kept.content == document().content

    async def test_an_edit_changes_the_post_in_its_place_and_keeps_its_files(self, town: Town) -> None:
        room = await town.private("张建国")
        first = await town.bot_says(room, "请选择", "确认", documents=(document(),))
        await town.bot_says(room, "之后")
        edit = Parcel(await town.owed(room), room, "", "edit", "已确认", edits=str(first))
        assert await WebChannel(town.context.board).send(edit) == str(first)
        async with await town.browser_of("张建国") as browser:
            changed, _ = (await browser.get(f"/api/chat/rooms/{room}/posts")).json()["posts"]
        assert (changed["id"], changed["text"], changed["keys"], changed["edited"]) == (first, "已确认", [], True)
        assert len(changed["files"]) == 1

    async def test_an_edit_never_reaches_another_chat_or_what_people_said(self, town: Town) -> None:
        room, other = await town.private("张建国"), await town.private("李芳")
        foreign = await town.bot_says(other, "别人的")
        async with await town.browser_of("张建国") as browser:
            said = (await browser.post(f"/api/chat/rooms/{room}/say", **words("我的"))).json()["post"]["id"]
        for target in (str(foreign), str(said), "x", None):
            with pytest.raises(Undeliverable):
                await WebChannel(town.context.board).send(Parcel(1, room, "", "edit", "坏", edits=target))

    async def test_a_message_for_no_chat_is_undeliverable(self, town: Town) -> None:
        with pytest.raises(Undeliverable):
            await WebChannel(town.context.board).send(Parcel(1, 999, "", "send", "?"))

    async def test_reads_what_it_cannot_read_as_an_error(self, town: Town) -> None:
        channel = WebChannel(town.context.board)
        for body in ({}, {"chat": "x"}, {"chat": "x", "attachments": [{"odd": 1}]}):
            with pytest.raises(ValueError, match="no message of the web chat"):
                channel.read(body, town.civil())


class TestFiles:
    async def test_a_photo_goes_along_and_is_shown_in_place(self, town: Town) -> None:
        room = await town.private("张建国")
        async with await town.browser_of("张建国") as browser:
            made = await browser.post(
                f"/api/chat/rooms/{room}/say",
                data={"id": fresh()},
                files=[("files", ("C:\\fake\\配电 柜.png", PNG, "text/html"))],
            )
            [file] = made.json()["post"]["files"]
            shown = await browser.get(f"/files/{file['hash']}")
        assert (file["name"], file["media_type"]) == ("配电 柜.png", "image/png")
        assert shown.headers["content-disposition"].startswith("inline; filename*=UTF-8''%E9%85%8D")
        assert (shown.headers["x-content-type-options"], shown.headers["content-security-policy"]) == (
            "nosniff", "default-src 'none'; sandbox"
        )  # fmt: skip
        said = WebChannel(town.context.board).read((await town.inbox())[0], town.civil())
        assert said is not None
        assert said.attachments == (Attachment(file["hash"], "配电 柜.png", "image/png"),)

    async def test_anything_but_a_photo_is_a_download_and_may_be_had_in_parts(self, town: Town) -> None:
        room, sound = await town.private("张建国"), b"#!AMR\n0123456789"
        async with await town.browser_of("张建国") as browser:
            made = await browser.post(
                f"/api/chat/rooms/{room}/say", data={"id": fresh()}, files=[("files", ("语音.amr", sound, ""))]
            )
            url = f"/files/{made.json()['post']['files'][0]['hash']}"
            whole = await browser.get(url)
            parts = [await browser.get(url, headers={"Range": f"bytes={part}"}) for part in ("6-8", "12-", "-2")]
            odd = await browser.get(url, headers={"Range": "bytes=99-"})
        assert whole.headers["content-disposition"].startswith("attachment")
        assert [(part.status_code, part.content) for part in parts] == [
            (206, sound[6:9]), (206, sound[12:]), (206, sound[-2:])
        ]  # fmt: skip
        assert (odd.status_code, odd.content) == (200, sound)

    @pytest.mark.parametrize(
        "name, content",
        [
            ("a.svg", b"<svg onload=alert(1)>"),
            ("a.png", b"<html><script>alert(1)</script>"),
            ("a.exe", b"MZ\x90\x00"),
            ("a.zip", b"PK\x03\x04plain zip"),
            ("a.docm", b"PK\x03\x04[Content_Types].xml word/document.xml word/vbaProject.bin"),
            ("a.jpg", b""),
        ],
    )
    async def test_other_kinds_are_refused_by_their_content(self, town: Town, name: str, content: bytes) -> None:
        room = await town.private("张建国")
        async with await town.browser_of("张建国") as browser:
            answer = await browser.post(
                f"/api/chat/rooms/{room}/say", data={"id": fresh()}, files=[("files", (name, content, "image/png"))]
            )
        assert answer.status_code == 415
        assert name in answer.json()["error"]
        assert not await town.inbox()

    async def test_eleven_files_or_twenty_megabytes_are_too_much(self, town: Town) -> None:
        room = await town.private("张建国")
        many = [("files", (f"{number}.png", PNG, "")) for number in range(11)]
        large = [("files", ("big.png", PNG + b"\0" * (20 * 1024 * 1024), ""))]
        async with await town.browser_of("张建国") as browser:
            answers = [
                await browser.post(f"/api/chat/rooms/{room}/say", data={"id": fresh()}, files=files)
                for files in (many, large)
            ]
        assert [answer.status_code for answer in answers] == [400, 413]
        assert "20MB" in answers[1].json()["error"]


class TestWhoMaySeeWhat:
    @pytest.mark.parametrize("place", ["李芳", "和顺群", "协调群", "未批准群", "纪检群"])
    async def test_a_foreign_room_answers_like_one_that_does_not_exist(self, town: Town, place: str) -> None:
        room = town.rooms.get(place) or await town.private(place)
        async with await town.browser_of("张建国") as browser:
            for number in (room, 999_999):
                base = f"/api/chat/rooms/{number}"
                answers = [
                    await browser.get(f"{base}/posts"),
                    await browser.post(f"{base}/say", **words("偷看")),
                    await browser.post(f"{base}/press", json={"id": fresh(), "post": 1, "data": "x"}),
                    await browser.post(f"{base}/read", json={"post": 1}),
                ]
                assert [answer.status_code for answer in answers] == [404] * 4
                assert {answer.text for answer in answers} == {
                    '{"error":"没有查到您可以查看的内容。","code":"not_found"}'
                }
        assert not await town.inbox()

    async def test_a_button_of_a_foreign_post_cannot_be_pressed_from_an_own_room(self, town: Town) -> None:
        foreign = await town.bot_says(await town.private("王敏"), "#12", "接单")
        press = {"id": fresh(), "post": foreign, "data": "data-接单"}
        async with await town.browser_of("张建国") as browser:
            answer = await browser.post(f"/api/chat/rooms/{await town.private('张建国')}/press", json=press)
        assert answer.status_code == 404

    async def test_a_file_is_shown_only_to_those_who_see_a_room_it_stands_in(self, town: Town) -> None:
        async with await town.browser_of("张建国") as browser:
            made = await browser.post(
                f"/api/chat/rooms/{town.rooms['宏达群']}/say",
                data={"id": fresh()},
                files=[("files", ("a.png", PNG, ""))],
            )
        url = f"/files/{made.json()['post']['files'][0]['hash']}"
        seen = {}
        for name in ("张建国", "王敏", "周主任", "李芳", "赵亮"):
            async with await town.browser_of(name) as browser:
                seen[name] = (await browser.get(url)).status_code
        assert seen == {"张建国": 200, "王敏": 200, "周主任": 200, "李芳": 404, "赵亮": 404}

    @pytest.mark.parametrize("number", ["x", "-1", "1e3", "٣", "9" * 30, "1%00"])
    async def test_odd_numbers_are_no_rooms(self, town: Town, number: str) -> None:
        async with await town.browser_of("张建国") as browser:
            assert (await browser.get(f"/api/chat/rooms/{number}/posts")).status_code == 404


class TestWithoutASession:
    @pytest.mark.parametrize(
        "method, path",
        [
            ("GET", "/api/chat/state"),
            ("GET", "/api/chat/stream"),
            ("GET", "/api/chat/rooms/1/posts"),
            ("POST", "/api/chat/rooms/1/say"),
            ("POST", "/api/chat/rooms/1/press"),
            ("POST", "/api/chat/rooms/1/read"),
            ("GET", "/files/abc"),
        ],
    )
    async def test_nothing_is_shown_or_done(self, town: Town, method: str, path: str) -> None:
        async with town.browser("made-up") as browser:
            answer = await browser.request(method, path)
        assert (answer.status_code, answer.json()["code"]) == (401, "signed_out")

    async def test_the_page_is_the_way_in(self, town: Town) -> None:
        async with town.browser() as browser:
            page = await browser.get("/")
        assert "邀请码" in page.text
        assert "chat.js" not in page.text

    async def test_a_session_ends_when_idle_for_thirty_days_and_not_while_it_is_used(self, town: Town) -> None:
        async with await town.browser_of("张建国") as browser:
            for _ in range(3):
                town.machine.on(days=20)
                assert (await browser.get("/api/chat/state")).status_code == 200
            town.machine.on(seconds=IDLE.total_seconds() + 1)
            assert (await browser.get("/api/chat/state")).status_code == 401

    async def test_signing_out_ends_the_session_on_the_server(self, town: Town) -> None:
        token = await town.token("张建国")
        async with town.browser(token) as browser:
            out = await browser.post("/api/chat/sign-out")
        async with town.browser(token) as thief:
            assert (await thief.get("/api/chat/state")).status_code == 401
        assert "Max-Age=0" in out.headers["set-cookie"]

    async def test_who_left_the_roster_is_out(self, town: Town) -> None:
        async with await town.browser_of("张建国") as browser:
            await town.database.transaction(
                lambda tx: tx.run("UPDATE people SET active = 0 WHERE id = :id", {"id": town.people["张建国"]})
            )
            assert (await browser.get("/api/chat/state")).status_code == 401


@pytest.mark.parametrize(
    "form, status",
    [
        ({"id": "short", "text": "x"}, 400),
        ({"text": "x"}, 400),
        ({"id": "a" * 32, "text": "  \u200b "}, 400),
        ({"id": "a" * 32, "text": "长" * 3001}, 413),
        ({"id": "a" * 32, "text": "x", "reply_to": "one"}, 404),
    ],
)
async def test_a_form_that_is_not_right_is_refused_in_a_sentence(town: Town, form: dict[str, str], status: int) -> None:
    async with await town.browser_of("张建国") as browser:
        answer = await browser.post(f"/api/chat/rooms/{await town.private('张建国')}/say", data=form)
    assert answer.status_code == status
    assert answer.json()["error"].endswith("。")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"\xff"])
async def test_json_that_is_not_right_is_refused(town: Town, body: bytes) -> None:
    async with await town.browser_of("张建国") as browser:
        answer = await browser.post(f"/api/chat/rooms/{await town.private('张建国')}/press", content=body)
    assert answer.status_code == 400


async def test_twenty_at_once_then_a_pause(town: Town) -> None:
    room = await town.private("张建国")
    async with await town.browser_of("张建国") as browser, await town.browser_of("李芳") as other:

        async def say() -> int:
            return (await browser.post(f"/api/chat/rooms/{room}/say", **words("刷屏"))).status_code

        assert [await say() for _ in range(22)] == [200] * 20 + [429] * 2
        calm = await other.post(f"/api/chat/rooms/{await town.private('李芳')}/say", **words("正常"))
        assert calm.status_code == 200
        town.machine.on(seconds=1)
        assert [await say() for _ in range(3)] == [200, 200, 429]


async def test_strange_characters_do_not_get_in(town: Town) -> None:
    room = await town.private("张建国")
    async with await town.browser_of("张建国") as browser:
        made = await browser.post(f"/api/chat/rooms/{room}/say", **words("停\x00电\u202e了"))
    assert made.json()["post"]["text"] == "停电了"


async def test_errors_speak_the_language_of_the_person(town: Town) -> None:
    await town.database.transaction(
        lambda tx: tx.run("UPDATE people SET language = 'en' WHERE id = :id", {"id": town.people["张建国"]})
    )
    async with await town.browser_of("张建国") as browser:
        answer = await browser.get("/api/chat/rooms/999/posts")
    assert answer.json()["error"] == "There is nothing here that you may see."


async def test_a_page_carries_what_people_wrote_as_text_only(town: Town) -> None:
    evil = "</script><img src=x onerror=alert(1)>"
    await town.database.transaction(
        lambda tx: tx.run("UPDATE chats SET name = :name WHERE id = :id", {"name": evil, "id": town.rooms["宏达群"]})
    )
    async with await town.browser_of("张建国") as browser:
        page = await browser.get("/")
        state = await browser.get("/api/chat/state")
    assert evil not in page.text
    assert json.loads(state.text)["rooms"][1]["name"] == evil
    assert state.headers["content-type"] == "application/json"
