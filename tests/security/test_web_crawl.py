"""Every address of the server by everybody: whoever may not read a room gets no word of it, and does nothing in it."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence

import pytest
from starlette.routing import Mount, Route

from bot.channel import Document
from bot.web import demo
from bot.web.server import ROUTES
from storage import invites, people
from storage.database import Tx
from tests import backends, needs
from tests.webtown import Clock, PanelClock, Town, fresh, open_town

BACKENDS = backends.BOTH if needs.full() else ("sqlite",)
# Who may read which group, written down once more: a firm's people and its cadres, and the office's own by role.
GROUPS: Mapping[str, frozenset[str]] = {
    "宏达群": frozenset({"张建国", "王敏", "陈局", "周主任"}),
    "和顺群": frozenset({"李芳", "赵亮", "周主任"}),
    "片区群": frozenset({"张建国", "李芳", "王敏", "赵亮", "陈局", "周主任"}),
    "协调群": frozenset({"周主任", "孙工"}),
    "领导群": frozenset({"周主任", "陈局"}),
    "纪检群": frozenset({"纪书记"}),
    "银企群": frozenset({"周主任", "钱行长"}),
    "未批准群": frozenset(),
}
NOBODY = ""
PEOPLE = ("张建国", "李芳", "王敏", "赵亮", "陈局", "周主任", "孙工", "纪书记", "钱行长")
FORGED = ("0", "-1", "9" * 14, "9" * 40, "1e3", "１", "x", "..", "%00")


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    """Each room with a word and a file that stand nowhere else."""
    async with open_town(demo=PanelClock(Clock())) as opened:
        for name, chat in (await rooms(opened)).items():
            paper = Document(f"Ω{name}Ω.txt", "text/plain", f"Ω{name}Ω 内容".encode())
            await opened.bot_says(chat, f"Ω{name}Ω 的事", "办", documents=(paper,))
        yield opened


async def rooms(town: Town) -> dict[str, int]:
    """Every room by its name; a private one goes by its person's."""
    return {**town.rooms, **{name: await town.private(name) for name in town.people}}


def readers(room: str) -> frozenset[str]:
    """Who may read it."""
    return GROUPS.get(room, frozenset({room}))


def addresses(method: str, ids: Sequence[str], hashes: Sequence[str]) -> Iterator[str]:
    """Every address of the server that answers to the method, with every id put in."""
    for route in (*ROUTES, *demo.ROUTES):
        if isinstance(route, Mount) or not isinstance(route, Route) or method not in (route.methods or ()):
            continue
        if route.path == "/api/chat/stream" or route.path.startswith("/demo"):
            continue  # the stream is endless: tests/bot/web/test_stream.py; the demo lets one be anybody
        for one in ids if "{id}" in route.path else hashes if "{hash}" in route.path else ("x",):
            yield route.path.replace("{id}", one).replace("{hash}", one).replace("{code}", one)


@pytest.mark.parametrize("who", [NOBODY, *PEOPLE])
async def test_no_address_shows_a_room_to_anybody_who_is_not_in_it(town: Town, who: str) -> None:
    hashes = [row["hash"] for row in await town.all("SELECT hash FROM files")]
    known = await rooms(town)
    ids = [*map(str, known.values()), *FORGED]
    shown = ""
    async with town.browser(await town.token(who) if who else "") as browser:
        for path in addresses("GET", ids, [*hashes, "0" * 64, "..", "%00"]):
            answer = await browser.get(path)
            assert answer.status_code < 500, path
            shown += answer.text
    leaked = [room for room in known if f"Ω{room}Ω" in shown and who not in readers(room)]
    unseen = [room for room in known if f"Ω{room}Ω" not in shown and who in readers(room)]
    assert (leaked, unseen) == ([], [])


@pytest.mark.parametrize("who", [NOBODY, "张建国", "王敏", "周主任", "钱行长"])
async def test_nobody_does_anything_in_a_room_that_is_not_his(town: Town, who: str) -> None:
    foreign = [chat for room, chat in (await rooms(town)).items() if who not in readers(room)]
    posts = {row["chat_id"]: row["id"] for row in await town.all("SELECT id, chat_id FROM posts")}
    async with town.browser(await town.token(who) if who else "") as browser:
        for chat in foreign:
            town.machine.on(seconds=60)
            url = f"/api/chat/rooms/{chat}"
            say = await browser.post(f"{url}/say", data={"id": fresh(), "text": "诉求 停电"})
            press = {"id": fresh(), "post": posts[chat], "data": "data-办"}
            answers = [say, *[await browser.post(f"{url}/{what}", json=press) for what in ("press", "read")]]
            assert {answer.status_code for answer in answers} == {404 if who else 401}
    assert await town.inbox() == []


@pytest.mark.parametrize("who", ["张建国", "周主任"])
async def test_a_button_of_another_room_cannot_be_pressed_in_ones_own(town: Town, who: str) -> None:
    own = await town.private(who)
    async with await town.browser_of(who) as browser:
        for row in await town.all("SELECT id, chat_id FROM posts WHERE chat_id <> :own", own=own):
            town.machine.on(seconds=60)
            press = {"id": fresh(), "post": row["id"], "data": "data-办"}
            assert (await browser.post(f"/api/chat/rooms/{own}/press", json=press)).status_code == 404
    assert await town.inbox() == []


async def test_a_stolen_page_id_takes_nobody_elses_place(town: Town) -> None:
    page = fresh()
    for who in ("张建国", "李芳"):
        async with await town.browser_of(who) as browser:
            said = await browser.post(f"/api/chat/rooms/{await town.private(who)}/say", data={"id": page, "text": who})
        assert said.json()["post"]["text"] == who
    assert [body["text"] for body in await town.inbox()] == ["张建国", "李芳"]


@pytest.mark.parametrize("part", range(4))
async def test_a_thousand_guesses_of_a_code_bind_nobody(town: Town, part: int) -> None:
    async def unit(tx: Tx) -> str:
        firm = await people.enterprise(tx, 1)
        return await invites.make(tx, firm, town.civil())

    code = await town.database.transaction(unit)
    before = await town.all("SELECT * FROM accounts ORDER BY id")
    tried: list[int] = []
    async with town.browser() as browser:
        for n in range(250):
            guess = code[:-2] + invites.ALPHABET[n % 32] + invites.ALPHABET[(n // 32 + part * 8) % 32]
            if guess != code:
                answer = await browser.post("/join", data={"code": guess, "name": "某人"})
                tried.append(answer.status_code)
    assert tried[:10] == [404] * 10
    assert set(tried[10:]) == {429}
    assert await town.all("SELECT * FROM accounts ORDER BY id") == before
    assert await town.all("SELECT * FROM sessions") == []
