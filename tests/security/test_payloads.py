"""What people write is words on every platform: nothing in it works, nothing looks like ours, nothing gets lost."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import UTC
from urllib.parse import unquote

from bot.channel import Mention, Parcel
from bot.channels.wecom_group import WecomGroup
from domain.said import Said
from domain.words import MOST_MARKS, cleaned, shown_name
from handlers import outgoing
from tests import needs
from tests.backends import Backend
from tests.emulators.telegram.entities import marked, units
from tests.emulators.wecom.aibot import plain
from tests.emulators.wecom.api import WecomApiEmulator
from tests.security.doors import AibotDoor, AppDoor, Door, TelegramDoor, WebDoor, opened, through_every_door, whole
from tests.security.payloads import ALWAYS, FORGED, LONG, NAMES, TEXTS
from tests.summary import Tally
from texts import Catalogue, render

BOSS, LIAISON = "张建国", "王敏"
STEP = {"sqlite": needs.count(10, 1), "postgres": needs.count(40, 5)}
"""Every so manieth text, beginning elsewhere behind each door."""
APP_LINK = re.compile(r"<\s*/?\s*a\b", re.IGNORECASE)
PROFILE = re.compile(r"\b(?:tg|ton|tonsite)://", re.IGNORECASE)
FAMILY = "[\u2600-\u27bf\ufe0f\U0001f000-\U0001faff]\u200d"


def read(texts: Iterable[str]) -> str:
    """Letters and digits as a reader takes them in, in whatever width, of all parts in a row."""
    whole = unicodedata.normalize("NFKC", unquote("".join(texts)))
    return "".join(char for char in whole if char.isalnum())


def strange_signs(text: str) -> list[str]:
    """What cannot be seen, or builds towers."""
    bare = re.sub(FAMILY, "", text)
    hidden = [char for char in bare if unicodedata.category(char)[0] == "C" and char not in "\n\t"]
    lines = [char for char in bare if char in "\u2028\u2029\u3164\u115f\u1160\u2800\uffa0"]
    marks = "".join("m" if unicodedata.category(char)[0] == "M" else " " for char in bare)
    return [*hidden, *lines, *("tower" for _ in re.findall("m" * (MOST_MARKS + 1), marks))]


def forged_lines(text: str) -> list[str]:
    """Lines that pass for ours and are not."""
    return [line for line in text.split("\n") if line.startswith(FORGED)]


def torn(parts: Sequence[str]) -> list[str]:
    """Parts that begin or end within what people see as one sign."""
    later = [part.removeprefix("…") for part in parts[1:]]
    starts = [part for part in later if part and (unicodedata.category(part[0])[0] == "M" or part[0] in "\u200d🏽")]
    return [*starts, *(part for part in parts[:-1] if part.endswith("\u200d"))]


def look(door: Door, who: str, texts: Sequence[str]) -> None:
    """Nothing that reached somebody does anything, or seems what it is not."""
    for text in texts:
        assert strange_signs(text) == []
        assert forged_lines(text) == []
    if isinstance(door, TelegramDoor):
        for sent in door.town.got(who)[-len(texts) :]:
            assert marked(sent.text) == []
            assert not PROFILE.search(sent.text)
            assert not {"parse_mode", "entities"} & {key for key, value in sent.params.items() if value}
            assert units(sent.text) <= 4096
    elif isinstance(door, AibotDoor):
        for seen in door.town.seen(who)[-len(texts) :]:
            assert seen.kind != "markdown" or plain(seen.source) == seen.source
    elif isinstance(door, AppDoor):
        for told in door.sent(who)[-len(texts) :]:
            assert not APP_LINK.search(json.dumps(told.content, ensure_ascii=False))


def share(door: Door, backend: Backend) -> Sequence[str]:
    """The texts that are tried here; the long ones on every platform once."""
    step = STEP[backend.name]
    begin = ("telegram", "wecom_aibot", "wecom_app", "web").index(door.channel) % step
    return [*TEXTS[begin::step], *LONG[begin : -ALWAYS : max(step // 2, 1)], *LONG[-ALWAYS:]]


@through_every_door
async def test_what_a_firm_writes_arrives_as_words_and_does_nothing(
    channel: str, backend: Backend, tally: Tally
) -> None:
    async with opened(channel) as door:
        await door.says(BOSS, "诉求 车间电压低")
        texts = share(door, backend)
        for text in texts:
            before = len(await door.heard(LIAISON))
            await door.hear(BOSS, f"补充 1 {text}")
            await door.town.settle()
            told = list(await door.heard(LIAISON))[before:]
            if not any(char.isalnum() for char in cleaned(text)):
                continue
            assert read([cleaned(whole(text))]) in read(told), text[:80]
            assert torn(told) == [], text[:80]
            look(door, LIAISON, told)
    tally("S6", len(texts))


@through_every_door
async def test_titles_answers_and_questions_are_words_too(channel: str, backend: Backend, tally: Tally) -> None:
    texts = [text for text in share_of_short() if any(map(str.isalnum, cleaned(text)))][:: 3 * STEP[backend.name]]
    async with opened(channel) as door:
        for number, text in enumerate(texts[:18], start=1):
            before = {who: len(await door.heard(who)) for who in (BOSS, LIAISON)}
            for who, said in ((BOSS, f"诉求 {text}"), (LIAISON, f"接单 {number}"), (LIAISON, f"进展 {number} {text}")):
                await door.says(who, said)
            await door.says(BOSS, text)
            await door.says(BOSS, f"政策 {text}")
            for who, begun in before.items():
                look(door, who, list(await door.heard(who))[begun:])
    tally("S6", len(texts[:18]) * 5)


def share_of_short() -> Sequence[str]:
    """What fits a title as well."""
    return [text for text in TEXTS if len(text) < 200]


@through_every_door
async def test_names_are_names(channel: str, backend: Backend, tally: Tally) -> None:
    names = NAMES[:: STEP[backend.name]]
    async with opened(channel) as door:
        for number, name in enumerate(names):
            storable = whole(name)
            await door.meet(f"guest {number}", storable)
            before = len(await door.heard(LIAISON))
            await door.says(f"guest {number}", "绑定 宏达机械")
            told = list(await door.heard(LIAISON))[before:]
            assert told, name
            assert len(told[0].split("\n")) <= 4, name
            look(door, LIAISON, told)
            if channel != "wecom_aibot":  # it names nobody
                assert read([shown_name(storable)])[:8] in read(told), name
    tally("S6", len(names))


async def test_a_robot_calls_whom_it_is_told_to_and_nobody_else(tally: Tally) -> None:
    catalogue = Catalogue.load(strict=True)
    async with WecomApiEmulator() as server:
        server.core.robot_flood.windows = ((10**9, 1.0),)
        robots = WecomGroup({"群": server.robot("k1")}, server.api_base, pace=None)
        for number, text in enumerate(TEXTS):
            name, words = shown_name(text) or "某人", cleaned(text)
            facts = {"name": name, "link": "https://lianqi.example.cn", "number": "1", "firm": "宏达", "title": "停电"}
            said = Said("reach.mention" if number % 2 else "task.supplemented", {**facts, "text": words, "files": None})
            told = render(catalogue, outgoing.quiet(said), "zh", UTC)
            parcel = Parcel(number, 1, "群", "send", told, private=False, mention=Mention("User1", name))
            begun = len(server.posts)
            for part in robots.parts(parcel):
                await robots.send(part)
            posts = server.posts[begun:]
            assert [post.mentioned for post in posts] == [("User1",), *((),) * (len(posts) - 1)]
            assert [sign for post in posts for sign in strange_signs(post.text)] == []
            assert number % 2 or [line for post in posts for line in forged_lines(post.text)] == []  # a name leads
            assert read([name if number % 2 else words]) in read(post.text for post in posts)
        await robots.close()
        assert server.offences == []
    tally("S6", len(TEXTS))


async def test_a_page_is_given_words_as_data(tally: Tally) -> None:
    async with opened("web") as door:
        assert isinstance(door, WebDoor)
        await door.says(BOSS, "诉求 车间电压低")
        texts = share_of_short()[::10]
        for text in texts:
            await door.hear(BOSS, f"补充 1 {text}")
        await door.town.answered()
        async with await door.browser_of(LIAISON) as browser:
            answer = await browser.get(f"/api/chat/rooms/{await door.room(LIAISON)}/posts")
        assert answer.headers["content-type"].startswith("application/json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert {type(post["text"]) for post in answer.json()["posts"]} == {str}
    tally("S6", len(texts))


def test_there_are_two_hundred_of_them() -> None:
    assert len(TEXTS) >= 200
