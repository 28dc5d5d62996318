"""Live news: every post once, in order, to those who may read it, after a break as well."""

import asyncio

from bot.channel import Parcel
from bot.channels.web import WebChannel
from bot.web import stream
from storage import sessions
from tests.webtown import Stream, fresh, open_town, words


async def test_news_arrive_while_the_page_listens() -> None:
    async with open_town() as town, Stream(town.app, await town.token("张建国")) as page:
        await settled(page)
        post = await town.bot_says(await town.private("张建国"), "已登记 #1", "补充")
        event = await page.event()
    assert (event["event"], event["data"]["id"], event["data"]["text"]) == ("post", post, "已登记 #1")
    assert event["data"]["keys"] == [[{"label": "补充", "data": "data-补充"}]]


async def settled(page: Stream) -> None:
    """Wait until the page's first look is done, so that what follows is news."""
    assert "retry" in await asyncio.wait_for(page.heard.get(), 5)
    for _ in range(20):
        await asyncio.sleep(0.005)


async def test_after_a_break_all_that_was_missed_comes_in_order() -> None:
    async with open_town() as town:
        room = await town.private("张建国")
        texts = [str(number) for number in range(130)]
        for text in texts:
            await town.bot_says(room, text)
        async with Stream(town.app, await town.token("张建国"), last_event_id="10") as page:
            events = [await page.event() for _ in texts[10:]]
    assert [event["data"]["text"] for event in events] == texts[10:]
    assert [event["id"] for event in events] == [str(number) for number in range(11, 131)]


async def test_the_place_to_begin_may_stand_in_the_address() -> None:
    async with open_town() as town:
        room = await town.private("张建国")
        for text in "一二三":
            await town.bot_says(room, text)
        async with Stream(town.app, await town.token("张建国"), query="after=2") as page:
            assert (await page.event())["data"]["text"] == "三"


async def test_an_edit_is_news_about_the_same_post() -> None:
    async with open_town() as town:
        room = await town.private("张建国")
        post = await town.bot_says(room, "请选择", "确认")
        async with Stream(town.app, await town.token("张建国"), query="after=1") as page:
            edit = Parcel(await town.owed(room), room, "", "edit", "已确认", edits=str(post))
            await WebChannel(town.context.board).send(edit)
            event = await page.event()
    assert (event["data"]["id"], event["data"]["text"], event["data"]["edited"]) == (post, "已确认", True)


async def test_nobody_hears_of_rooms_that_are_not_his() -> None:
    async with open_town() as town:
        for place in ("和顺群", "协调群", "纪检群", "未批准群"):
            await town.bot_says(town.rooms[place], f"秘密 {place}")
        await town.bot_says(await town.private("李芳"), "秘密")
        await town.bot_says(town.rooms["片区群"], "大家好")
        async with Stream(town.app, await town.token("张建国"), query="after=0") as page:
            first = await page.event()
    assert first["data"]["text"] == "大家好"


async def test_who_is_taken_out_of_a_firm_hears_no_more_of_it_on_an_open_page() -> None:
    async with open_town() as town, Stream(town.app, await town.token("张建国"), query="after=0") as page:
        await town.bot_says(town.rooms["宏达群"], "之前")
        assert (await page.event())["data"]["text"] == "之前"
        await town.database.transaction(lambda tx: tx.run("DELETE FROM contacts", {}))
        await town.bot_says(town.rooms["宏达群"], "之后")
        await town.bot_says(await town.private("张建国"), "私聊")
        assert (await page.event())["data"]["text"] == "私聊"


async def test_the_answer_to_a_press_is_a_toast_for_its_presser_alone() -> None:
    async with open_town() as town:
        group = town.rooms["片区群"]
        shown = await town.bot_says(group, "【惠企政策】", "已知晓")
        press_id = fresh()
        async with await town.browser_of("张建国") as browser:
            await browser.post(
                f"/api/chat/rooms/{group}/press", json={"id": press_id, "post": shown, "data": "data-已知晓"}
            )
            token = (await town.inbox())[0]["answer_token"]
            answer = Parcel(await town.owed(group), group, "", "answer", "已记录", reply_to=token)
            for _ in range(2):
                await WebChannel(town.context.board).send(answer)
            talk = (await browser.get(f"/api/chat/rooms/{group}/posts")).json()["posts"]
        await town.bot_says(group, "之后")
        async with Stream(town.app, await town.token("张建国"), query="after=1") as his:
            toast, later = await his.event(), await his.event()
        async with Stream(town.app, await town.token("李芳"), query="after=1") as hers:
            seen = await hers.event()
    assert (toast["event"], toast["data"]["text"]) == ("toast", "已记录")
    assert later["data"]["text"] == seen["data"]["text"] == "之后"
    assert [post["id"] for post in talk] == [shown]


async def test_the_stream_ends_with_the_session() -> None:
    async with open_town() as town:
        token = await town.token("张建国")
        async with Stream(town.app, token) as page:
            await settled(page)
            await town.database.transaction(lambda tx: sessions.end(tx, token, town.machine()))
            town.context.board.bell.ring()
            assert (await page.event())["event"] == "over"


async def test_a_post_of_another_replica_is_found_without_a_ring(monkeypatch) -> None:  # type: ignore[no-untyped-def]  # pytest's own fixture
    monkeypatch.setattr(stream, "LOOK_EVERY", 0.01)
    async with open_town() as town, Stream(town.app, await town.token("张建国")) as page:
        await settled(page)
        town.context.board.bell.ring = lambda: None  # type: ignore[method-assign]  # as if rung in another process
        await town.bot_says(await town.private("张建国"), "来自别处")
        assert (await page.event())["data"]["text"] == "来自别处"


async def test_a_quiet_stream_shows_signs_of_life(monkeypatch) -> None:  # type: ignore[no-untyped-def]  # pytest's own fixture
    monkeypatch.setattr(stream, "LOOK_EVERY", 0.001)
    async with open_town() as town, Stream(town.app, await town.token("张建国")) as page:
        heard = [await asyncio.wait_for(page.heard.get(), 5) for _ in range(3)]
    assert heard == ["retry: 2000\n\n", ": still here\n\n", ": still here\n\n"]


async def test_what_one_says_is_heard_by_the_other_at_once() -> None:
    async with open_town() as town, Stream(town.app, await town.token("李芳"), query="after=0") as page:
        async with await town.browser_of("张建国") as browser:
            await browser.post(f"/api/chat/rooms/{town.rooms['片区群']}/say", **words("早"))
        event = await page.event()
    assert (event["data"]["text"], event["data"]["who"]["name"]) == ("早", "张建国")
