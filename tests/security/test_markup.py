"""Markup in whatever people can fill in: a page that shows it has the same elements as with plain words there."""

import ast
import html
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from bot import cards
from bot.limits import Limits
from bot.web import page
from bot.web.guard import CSP
from bot.web.server import make_web
from storage import invites, people
from storage.database import Tx
from tests.house import sources
from tests.needs import count
from tests.security.hostile import MARKUP, PAYLOADS
from tests.security.test_origins import leaves, whole_server
from tests.slips import Given, hand_out, token_of
from tests.summary import Tally
from tests.webtown import HOST, Town, open_town

ROOT = Path(__file__).resolve().parents[2]
PLAIN = "普通的话"
WRITABLE = [text for text in dict.fromkeys(PAYLOADS) if text.isprintable()]
TRIED = [*MARKUP, *(text for text in WRITABLE if text not in MARKUP)][: count(60, 500)]
NAMES = (
    *("people.name", "enterprises.name", "enterprises.short_name", "chats.name", "departments.name"),
    *("appeals.title", "parts.title", "parts.text"),
)
PROMISED = {
    *("default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "connect-src 'self'"),
    *("form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"),
}
SHUT = {"default-src 'none'", "sandbox"}
BARE = re.compile(r"\|\s*safe\b|autoescape\s+false|\bMarkup\(")
WRITES = re.compile(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|srcdoc|javascript:")


class Shape(HTMLParser):
    """The elements of a page with the names of their attributes, and where those lead that lead somewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, ...]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """One element."""
        ways = [f"{name}={(value or '')[:6]}" for name, value in attrs if name in ("href", "src", "action")]
        self.found.append((tag, *sorted(name for name, _ in attrs), *ways))

    def handle_endtag(self, tag: str) -> None:
        """Its end."""
        self.found.append((f"/{tag}",))

    def handle_comment(self, data: str) -> None:
        """A comment hides what stands in it."""
        self.found.append(("comment",))


def shape(text: str) -> Sequence[tuple[str, ...]]:
    reader = Shape()
    reader.feed(text)
    reader.close()
    return reader.found


@pytest.fixture
async def town() -> AsyncIterator[Town]:
    async with open_town() as opened:
        yield opened


async def rename(town: Town, text: str) -> None:
    """Every name and title that a page can show."""
    held = {table: await _columns(town, table) for table in {name.partition(".")[0] for name in NAMES}}

    async def unit(tx: Tx) -> None:
        for name in NAMES:
            table, _, column = name.partition(".")
            if column in held[table]:
                apart = "id" if "id" in held[table] else "''"
                await tx.run(f"UPDATE {table} SET {column} = :text || {apart}", {"text": text})

    await town.database.transaction(unit)


async def _columns(town: Town, table: str) -> set[str]:
    rows = await town.all(f"SELECT * FROM {table} LIMIT 1")
    return {name for row in rows for name in dict(row)}


async def codes(town: Town) -> list[str]:
    """An invitation for a person, one for a firm, one for a group."""

    async def unit(tx: Tx) -> list[str]:
        person = await people.person(tx, town.people["张建国"], town.civil())
        assert person is not None
        meant = (person, await people.enterprise(tx, 1), await people.chat(tx, town.rooms["片区群"]))
        return [await invites.make(tx, whom, town.civil()) for whom in meant]

    return await town.database.transaction(unit)


def browser_at(town: Town, park: str) -> httpx.AsyncClient:
    """A browser at the same house, whose park is called otherwise; nobody has guessed at codes there."""
    context = replace(town.context, rules=replace(town.context.rules, park=park), limits=Limits())
    transport = httpx.ASGITransport(make_web(context))
    return httpx.AsyncClient(transport=transport, base_url=HOST, headers={"Origin": HOST})


async def pages(town: Town, text: str, invited: Sequence[str], given: Given) -> list[str]:
    """Every page that shows what somebody has filled in, with this text in each of its places."""
    await rename(town, text)
    async with browser_at(town, text) as browser:
        found = [await browser.get("/"), await browser.get("/join", params={"code": text})]
        found += [await browser.get("/join", params={"code": code}) for code in invited]
        found.append(await browser.post("/join", data={"code": text, "name": text}))
        found.append(await browser.post("/join", data={"code": invited[2], "name": "", "sure": "x" + text}))
        slip = await browser.get(given.path)
        found += [slip, await browser.get(f"/slip/{quote(text.replace('/', '')[:60] or 'x', safe='')}")]
        fields = {"token": token_of(slip.text), "text": "", "officer": text[:20], "state": text, "expected": text}
        found.append(await browser.post(given.path, data=fields))
        found.append(await browser.post(given.path, data={**fields, "text": text, "state": "going"}))
    assert all(answer.status_code < 500 for answer in found)
    return [answer.text for answer in found if "html" in answer.headers["content-type"]]


async def test_no_markup_of_anybody_becomes_an_element_of_any_page(town: Town, tally: Tally) -> None:
    given, invited = await hand_out(town), await codes(town)
    plain = [shape(text) for text in await pages(town, PLAIN, invited, given)]
    assert len(plain) >= 10
    shown = 0
    for payload in TRIED:
        found = await pages(town, payload, invited, given)
        assert [shape(text) for text in found] == plain, payload
        shown += sum(html.escape(payload) in text or payload in html.unescape(text) for text in found)
    assert shown > 5 * len(TRIED), "what is not shown proves nothing"
    tally("S14", len(TRIED) * len(plain))


def card(town: Town, text: str) -> str:
    rules = replace(town.context.rules, park=text)
    facts: dict[str, Any] = {"name": text, "code": "AAAA-BBBB", "until": town.civil()}
    catalogue = town.context.catalogue
    return cards.invite_card(catalogue, rules, **facts, public_url=HOST, start_link=f"https://t.me/{text}")


async def test_no_markup_becomes_an_element_of_a_desk_card(town: Town, tally: Tally) -> None:
    plain = shape(card(town, PLAIN))
    for payload in TRIED:
        assert shape(card(town, payload)) == plain, payload
    tally("S14", len(TRIED))


# Templates and scripts ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", ["html", "htm", "txt", "svg", "xml", "js", "css", "json", "jinja", ""])
def test_a_template_of_whatever_kind_escapes(suffix: str) -> None:
    environment = page._TEMPLATES
    autoescape = environment.autoescape
    assert autoescape is True or (callable(autoescape) and autoescape(f"x.{suffix}"))
    assert environment.from_string("{{ x }}").render(x="<b>'\"&") == "&lt;b&gt;&#39;&#34;&amp;"


def environments() -> Iterator[tuple[str, ast.Call]]:
    """Every place of the program where templates get their environment."""
    for place, text in sources(ROOT, ("bot", "handlers", "reports", "storage", "domain", "texts")):
        for node in ast.walk(ast.parse(text if "Environment" in text else "")):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2].endswith("Environment"):
                yield place, node


def test_no_environment_of_templates_is_without_it() -> None:
    found = list(environments())
    assert found
    for place, call in found:
        given = {keyword.arg: ast.unparse(keyword.value) for keyword in call.keywords}
        assert given.get("autoescape") == "True", place


def test_nothing_lets_markup_through_on_purpose() -> None:
    texts = {path.name: path.read_text(encoding="utf-8") for path in (page.STATIC.parent / "templates").iterdir()}
    texts |= dict(sources(ROOT, ("bot", "reports")))
    assert [name for name, text in texts.items() if BARE.search(text)] == []
    scripts = {path.name: path.read_text(encoding="utf-8") for path in page.STATIC.glob("*.js")}
    assert [name for name, text in scripts.items() if WRITES.search(text)] == []


def test_no_template_holds_a_script_or_style_of_its_own() -> None:
    for path in (page.STATIC.parent / "templates").iterdir():
        text = path.read_text(encoding="utf-8")
        scripts = re.findall(r"<script[^>]*>", text)
        assert [tag for tag in scripts if "src=" not in tag and "application/json" not in tag] == [], path.name
        assert re.findall(r"<style|\sstyle=|\son[a-z]+=", text) == [], path.name


# The policy of every answer -------------------------------------------------------------------------------------------
def test_the_policy_is_the_promised_one() -> None:
    said = {part.strip() for part in CSP.split(";")}
    assert said >= PROMISED
    assert said - PROMISED <= {"media-src 'self'", "manifest-src 'self'"}


WAYS: list[tuple[str, dict[str, str]]] = [(method, {}) for method in ("GET", "HEAD", "OPTIONS", "POST", "PUT", "TRACE")]
WAYS += [("GET", {"Host": "evil.example"}), ("POST", {"Origin": "https://evil.example"})]


async def test_every_answer_of_every_address_bears_the_policy(tally: Tally) -> None:
    tried = 0
    async with whole_server() as (town, _, _):
        for token in ("", await town.token("张建国")):
            async with town.browser(token) as browser:
                for path, _ in leaves(town.app.routes):
                    if path == "/api/chat/stream" and token:
                        continue  # without end: tests/bot/web/test_stream.py
                    at = re.sub(r"\{[^}]*\}", "1", path)
                    for method, sent in WAYS:
                        headers = (await browser.request(method, at, headers=sent)).headers
                        policy = {part.strip() for part in headers["content-security-policy"].split(";")}
                        assert policy >= PROMISED or policy == SHUT, (method, at)
                        assert not any("unsafe" in part or "*" in part for part in policy)
                        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")
                        tried += 1
    assert tried > 200
    tally("S14", tried)
