"""Whatever comes from outside: every reader answers with a value or with the refusal that it names, never otherwise."""

from __future__ import annotations

import ast
import io
import zipfile
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from bot import media, workbook
from bot.channels.telegram import reading as telegram
from bot.channels.wecom_aibot import intake as aibot_intake
from bot.channels.wecom_aibot import reading as aibot
from bot.channels.wecom_app import cipher, letters
from bot.channels.wecom_app import reading as app
from bot.config.loading import load_config
from bot.config.problems import ConfigError
from bot.keys import KeyTrouble, read_key
from bot.web import guard
from domain import (
    chain,
    closures,
    days,
    hours,
    leave,
    policy_dates,
    policy_form,
    roster_sheets,
    said,
    spans,
    when,
    words,
)
from domain.errors import Refused
from domain.roster import Table
from handlers import forwarding, spelling
from reports.roster import write_tables
from storage import invites, years
from tests import needs
from tests.house import sources
from tests.making import civil
from tests.security.hostile import PAYLOADS, packed
from texts import Catalogue

BACKENDS = ("sqlite",)
EXAMPLES = needs.count(500, 20_000)
ROOT = Path(__file__).resolve().parents[2]
AT = civil("2026-03-11 09:00")
TODAY = AT.date()
WORDS = Catalogue.load(strict=True).words()
KEY = "A" * 43

PIECES = (
    *sorted(WORDS)[:60],
    *PAYLOADS[:40],
    "#",
    "12",
    "LQ-2026-00012",
    "M-7K3Q9X",
    "下周三前",
    "3天",
    "5个工作日",
    "2026-02-30",
    "2月29日",
    "明天",
    "周五",
    "上午",
    "到",
    "至",
    "08:30-12:00",
    "4wh",
    "99999999999999",
    "/",
    "@联企",
    "：",
    ":",
    "\n",
    "标题：",
    "文号：",
    "截止：",
    "年",
    "月",
    "日",
    "十二",
    "二十",
    "前",
    "后",
    "-",
    "~",
    "=",
    "[",
    "]",
    '"',
    "from",
    "to",
    "year",
    "2026",
    "holidays",
)
TEXT = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=8)), max_size=10).map(" ".join),
)
BYTES = st.one_of(st.binary(max_size=400), TEXT.map(lambda text: text.encode("utf-8", "surrogatepass")))
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), TEXT)
JSON = st.recursive(
    LEAVES, lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4))
)

ODD = st.sampled_from([None, 0, -1, 2**70, 1e308, True, "", "x", "0", [], [1], {}, {"a": 1}])


def shaped(shape: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Something of this shape, in which any part may be missing or anything else."""
    parts = {name: st.one_of(_part(part), ODD) for name, part in shape.items()}
    return st.fixed_dictionaries({}, optional=parts)


def _part(part: Any) -> st.SearchStrategy[Any]:
    if isinstance(part, Mapping):
        return shaped(part)
    if isinstance(part, list):
        return st.lists(_part(part[0]), max_size=3)
    return st.just(part) if not isinstance(part, st.SearchStrategy) else part


PERSON = {"id": st.integers(), "is_bot": False, "first_name": TEXT}
CHAT = {"id": st.integers(), "type": st.sampled_from(["private", "group", "supergroup", "channel"]), "title": TEXT}
FILE = {"file_id": TEXT, "file_unique_id": TEXT, "file_name": TEXT, "file_size": st.integers(), "mime_type": TEXT}
MESSAGE = {
    "message_id": st.integers(),
    "date": st.integers(0, 2**33),
    "chat": CHAT,
    "from": PERSON,
    "text": TEXT,
    "document": FILE,
    "photo": [{**FILE, "width": 1, "height": 1}],
    "media_group_id": TEXT,
    "sender_chat": CHAT,
}
MEMBER = {"status": st.sampled_from(["left", "member", "kicked", "administrator"]), "user": PERSON}
UPDATE = {
    "update_id": 1,
    "message": {**MESSAGE, "reply_to_message": MESSAGE, "caption": TEXT, "migrate_to_chat_id": st.integers()},
    "edited_message": MESSAGE,
    "callback_query": {"id": TEXT, "from": PERSON, "message": MESSAGE, "data": TEXT, "chat_instance": TEXT},
    "my_chat_member": {"chat": CHAT, "from": PERSON, "date": 1, "old_chat_member": MEMBER, "new_chat_member": MEMBER},
}
KIND = st.sampled_from(["text", "image", "mixed", "file", "voice", "event", "link", "location", "video"])
FRAME = {
    "msgid": TEXT,
    "from": {"userid": TEXT},
    "chattype": st.sampled_from(["group", "single"]),
    "chatid": TEXT,
    "msgtype": KIND,
    "text": {"content": TEXT},
    "mixed": {"msg_item": [{"msgtype": KIND, "text": {"content": TEXT}}]},
    "quote": {"msgtype": KIND, "text": {"content": TEXT}},
    "create_time": st.integers(),
    "image": {"url": TEXT},
    "event": {
        "eventtype": st.sampled_from(["enter_chat", "template_card_event"]),
        "template_card_event": {"event_key": TEXT, "task_id": TEXT},
    },
}
CALLBACK = dict.fromkeys(("FromUserName", "Content", "MsgId", "MediaId", "TaskId", "Title", "ResponseCode"), TEXT)
CALLBACK |= {"MsgType": KIND, "Event": st.sampled_from(["template_card_event", "enter_agent"]), "EventKey": TEXT}
CALLBACK |= {"CreateTime": st.one_of(TEXT, st.integers().map(str))}
XML = st.lists(st.tuples(st.sampled_from(["a", "MsgId", "Content"]), TEXT), max_size=5).map(
    lambda parts: "<xml>" + "".join(f"<{name}><![CDATA[{text}]]></{name}>" for name, text in parts) + "</xml>"
)
CELLS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=10)), max_size=5).map(tuple)
ROWS = st.lists(st.tuples(st.integers(1, 9), CELLS), max_size=4).map(tuple)
SHEETS = st.lists(st.builds(Table, st.sampled_from(["企业", "人员", "部门", "群", "people", "x"]), ROWS), max_size=4)


@dataclass(frozen=True)
class Reader:
    """A reader of outside data, what it is given, and how it says no."""

    read: Callable[[Any], object]
    given: st.SearchStrategy[Any]
    refusals: tuple[type[Exception], ...] = ()


def _spoken(text: str) -> object:
    private = len(text) % 2 == 0
    return spelling.read(text, WORDS, private=private, addressed=not private, bot_names=("联企", "lianqi"))


READERS: Mapping[str, Reader] = {
    "commands": Reader(_spoken, TEXT),
    "a lone number": Reader(spelling.lone_number, TEXT),
    "words": Reader(words.cleaned, TEXT),
    "a title": Reader(lambda text: words.title_of(text or "x"), TEXT),
    "when": Reader(lambda text: when.read_when(text, TODAY), TEXT, (Refused,)),
    "days": Reader(lambda text: days.read_days(text, TODAY), TEXT, (Refused,)),
    "leave": Reader(lambda text: leave.read_leave(text, TODAY), TEXT, (Refused,)),
    "closures": Reader(lambda text: closures.read_closing(text, TODAY), TEXT, (Refused,)),
    "a span": Reader(spans.parse_span, TEXT, (ValueError,)),
    "hours": Reader(hours.parse_interval, TEXT, (ValueError,)),
    "a policy's window": Reader(lambda text: policy_dates.read_window(text, TODAY), TEXT, (ValueError,)),
    "a policy's moment": Reader(lambda text: policy_dates.read_moment(text, AT), TEXT, (ValueError,)),
    "a policy's lines": Reader(lambda text: policy_form.read_fields(text, first=True), TEXT),
    "a policy's audience": Reader(policy_form.read_audience, TEXT),
    "a policy": Reader(
        lambda text: policy_form.read_draft(policy_form.read_fields(text, first=True), AT), TEXT, (policy_form.Faults,)
    ),
    "button data": Reader(said.Button.parse, TEXT),
    "a code": Reader(invites.looks_like, TEXT),
    "a code as compared": Reader(invites.plain, TEXT),
    "a slip's form": Reader(
        lambda fields: forwarding.read_answer(fields, TODAY),
        st.dictionaries(st.sampled_from(["text", "officer", "state", "expected", "token"]), TEXT | st.just("done")),
        (Refused,),
    ),
    "a calendar file": Reader(years.parse_year, TEXT, (years.YearTableError,)),
    "a roster's sheets": Reader(roster_sheets.read, SHEETS),
    "an update of Telegram's": Reader(
        lambda update: telegram.read({"update": update, "bot": "b", "hears_all": True}, AT),
        shaped(UPDATE),
        (ValueError,),
    ),
    "the chat of an update": Reader(telegram.chat_key, shaped(UPDATE)),
    "a frame of the smart bot": Reader(
        lambda body: aibot.read({"cmd": "aibot_msg_callback", "body": body, "files": [], "bot": ""}, AT),
        shaped(FRAME),
        (ValueError,),
    ),
    "an event of the smart bot": Reader(
        lambda body: aibot.read({"cmd": "aibot_event_callback", "body": body, "files": [], "bot": "小联"}, AT),
        shaped(FRAME),
        (ValueError,),
    ),
    "a frame as it is kept": Reader(aibot_intake.stripped, JSON),
    "a callback's XML": Reader(
        letters.fields_of, BYTES | XML.map(lambda xml: xml.encode("utf-8", "ignore")), (ValueError,)
    ),
    "a callback": Reader(lambda fields: app.read({"message": fields}, AT), shaped(CALLBACK), (ValueError,)),
    "a callback's name": Reader(app.external_id, st.dictionaries(st.sampled_from(sorted(CALLBACK)), TEXT)),
    "a sealed callback": Reader(lambda text: cipher.decrypt(KEY, text, "ww1"), TEXT, (cipher.Forged,)),
    "codes that the inspector kept": Reader(lambda text: list(chain.read_heads(text)), TEXT),
    "what a file is": Reader(media.media_type_of, BYTES),
    "a file's name": Reader(words.shown_file, TEXT),
    "where a page comes from": Reader(
        lambda given: guard.same_origin(Headers({"origin": given[0], "host": given[1]})),
        st.tuples(*[TEXT.map(lambda text: text.encode("latin-1", "ignore").decode("latin-1"))] * 2),
    ),
}


def _read_own(path: Path) -> object:
    path.chmod(0o600)
    return read_key(path)


FILES: Mapping[str, tuple[Callable[[Path], object], str, tuple[type[Exception], ...]]] = {
    "config.toml": (lambda path: load_config(path, {}), "c.toml", (ConfigError,)),
    "a key": (_read_own, "lianqi.key", (KeyTrouble,)),
    "a roster as CSV": (lambda path: workbook.read(path, lambda: 0.0), "企业.csv", (Refused,)),
    "a roster as xlsx": (lambda path: workbook.read(path, lambda: 0.0), "r.xlsx", (Refused,)),
}
INSIDE = frozenset(
    {"storage/reckonings.py", "storage/outbox.py", "storage/house.py", "storage/migrations.py", "storage/years.py"}
    | {"bot/config/values.py", "bot/config/loading.py", "bot/errands.py", "bot/web/chat.py", "bot/web/uploads.py"}
    | {"bot/web/health.py", "handlers/orders.py", "storage/database.py", "storage/postgres.py", "storage/sqlite.py"}
    | {"bot/channel.py", "bot/channels/web.py", "bot/channels/memory.py", "bot/channels/telegram/__init__.py"}
    | {
        "bot/channels/wecom_app/__init__.py",
        "bot/channels/wecom_aibot/__init__.py",
        "bot/channels/wecom_group/__init__.py",
    }
    | {"bot/channels/wecom_aibot/connection.py", "bot/channels/telegram/transport.py", "storage/sqlite_writer.py"}
    | {"bot/timed.py", "bot/apart.py"}
)
"""Where `read` reads what lianqi wrote itself, a part of config.toml, or hands on to a reader of the list above."""


@pytest.mark.parametrize("name", READERS)
def test_a_reader_reads_or_refuses(name: str) -> None:
    reader = READERS[name]

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(reader.given)
    def tried(given: Any) -> None:
        with suppress(*reader.refusals):
            reader.read(given)

    tried()


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_read_or_refused(name: str, tmp_path: Path) -> None:
    read, called, refusals = FILES[name]
    path = tmp_path / called

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(BYTES)
    def tried(content: bytes) -> None:
        path.write_bytes(content)
        with suppress(*refusals):
            read(path)

    tried()


GOOD = write_tables([Table("企业", ((1, ("名称", "片区")), (2, ("宏达机械", "东区"))))])
INNER = (
    *("xl/workbook.xml", "xl/_rels/workbook.xml.rels", "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"),
    *("xl/styles.xml", "[Content_Types].xml"),
)
SIGNS = (b"", b"<", b">", b"/>", b'"', b"&", b"&#0;", b"A1", b"-1", b"1e999", b"9" * 30, b"<row/>", b'r="XFD9"')
BITS = st.one_of(st.binary(max_size=12), st.sampled_from(SIGNS))
CHANGES = st.lists(st.tuples(st.sampled_from(INNER), st.floats(0, 1), st.integers(0, 20), BITS), min_size=1, max_size=3)


def changed(changes: list[tuple[str, float, int, bytes]]) -> bytes:
    """A good workbook with a few bytes of its parts replaced, before it is packed."""
    with zipfile.ZipFile(io.BytesIO(GOOD)) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    for name, where, gone, new in changes:
        at = int(where * len(parts[name]))
        parts[name] = parts[name][:at] + new + parts[name][at + gone :]
    return packed({name.replace("/", "__"): content for name, content in parts.items()})


def test_a_workbook_whose_parts_are_changed_is_read_or_refused(tmp_path: Path) -> None:
    path = tmp_path / "r.xlsx"

    @settings(max_examples=needs.count(60, 4_000), deadline=None, suppress_health_check=list(HealthCheck))
    @given(CHANGES)
    @example([("xl/workbook.xml", 0.375, 0, b" ")])  # a name that is no address: a parser's own kind of error
    def tried(changes: list[tuple[str, float, int, bytes]]) -> None:
        path.write_bytes(changed(changes))
        with suppress(Refused):
            workbook.read(path, lambda: 0.0)

    tried()


def test_no_reader_is_forgotten() -> None:
    tried = {"domain/roster_sheets.py", "handlers/spelling.py", "handlers/forwarding.py", "bot/workbook.py"}
    tried |= {"bot/keys.py", "domain/chain.py"}
    tried |= {
        f"domain/{name}.py"
        for name in ["when", "days", "leave", "closures", "spans", "hours", "policy_dates", "policy_form", "said"]
    }
    tried |= {f"bot/channels/{name}/reading.py" for name in ("telegram", "wecom_app", "wecom_aibot")}
    found = {
        place
        for place, text in sources(ROOT, ("domain", "handlers", "storage", "bot"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith(("read", "parse"))
        and node.args.args
    }
    assert found - tried - INSIDE == set()
