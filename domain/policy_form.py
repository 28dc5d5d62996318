"""The form with which a coordinator publishes a policy: labelled lines in any order, Chinese or English."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.policy import FACETS, Audience, Content, fold
from domain.policy_dates import read_moment, read_window
from domain.said import Said

_WORDS: Mapping[str, tuple[str, ...]] = {
    "title": ("标题", "名称", "政策名称", "title", "name"),
    "doc_no": ("文号", "发文字号", "doc no", "document", "reference"),
    "body": ("正文", "内容", "一句话", "解读", "text", "body", "summary"),
    "url": ("链接", "网址", "原文", "原文链接", "link", "url", "original"),
    "audience": ("对象", "惠及对象", "适用对象", "for", "audience", "who"),
    "conditions": ("申报条件", "条件", "conditions"),
    "window": ("申报时间", "申报期限", "window", "period", "apply"),
    "time_limit": ("兑现时限", "时限", "time limit", "payout"),
    "address": ("受理地址", "地址", "受理窗口", "address", "where"),
    "phone": ("咨询电话", "电话", "phone"),
    "materials": ("材料", "申报材料", "materials"),
    "post_at": ("发布时间", "post at", "post", "when"),
}
LABELS: Mapping[str, str] = {
    "title": "policy.label_title",
    "doc_no": "policy.label_doc_no",
    "body": "policy.label_body",
    "url": "policy.label_url",
    "audience": "policy.label_audience",
    "conditions": "policy.label_conditions",
    "window": "policy.label_window",
    "time_limit": "policy.label_time_limit",
    "address": "policy.label_address",
    "phone": "policy.label_phone",
    "materials": "policy.label_materials",
    "post_at": "policy.label_post_at",
}
_MOST = {"title": 60, "doc_no": 60, "url": 300, "body": 800, "materials": 800}
_MOST_OTHER = 200
_SHOWN = ("conditions", "window", "time_limit", "address", "phone", "materials")
_BY_WORD = {fold(word): name for name, words in _WORDS.items() for word in words}
_LINE = re.compile(r"\s*[-·•]?\s*([^：:=]{1,16}?)\s*[：:]\s*(.*)")
_FACET_WORDS = {
    **dict.fromkeys(("行业", "industry"), "industries"),
    **dict.fromkeys(("规模", "size"), "sizes"),
    **dict.fromkeys(("片区", "园区", "zone"), "zones"),
    **dict.fromkeys(("标签", "类型", "tag", "tags"), "tags"),
}
_ALL = frozenset(("全部", "全部企业", "所有企业", "不限", "all", "everybody", "allfirms"))
_PIECES = re.compile(r"[；;\n]|(?<=\S)\s+(?=[^\s=＝]{1,8}[=＝])")
_VALUES = re.compile(r"[，,、/|]")
_URL = re.compile(r"https?://[^\s<>\"']+", re.IGNORECASE)

UNREAD = "unread"


@dataclass(frozen=True, slots=True)
class Draft:
    """A form that can be read: the notice and when it is to leave (None: at once)."""

    content: Content
    post_at: datetime | None


class Faults(Exception):
    """Everything that is wrong or missing, one plain sentence each."""

    def __init__(self, sentences: tuple[Said, ...]) -> None:
        super().__init__(*(sentence.key for sentence in sentences))
        self.sentences = sentences


def read_fields(text: str, *, first: bool) -> dict[str, str]:
    """The labelled lines as field -> what was written; a line without a label goes on with the one before.

    In the `first` message a line before all labels is the title where no line is labelled so; later, and with
    several such lines, it stands under UNREAD.
    """
    fields: dict[str, str] = {}
    before: list[str] = []
    name = ""
    for line in text.splitlines():
        found = _LINE.fullmatch(line)
        label = _BY_WORD.get(fold(found[1])) if found else None
        if found is not None and label is not None:
            name = label
            fields[name] = found[2].strip()
        elif name:
            fields[name] = f"{fields[name]}\n{line.strip()}".strip()
        elif line.strip():
            before.append(line.strip())
    if before and first and "title" not in fields and len(before) == 1:
        fields["title"] = before[0]
    elif before and not first:
        fields[UNREAD] = before[0]
    return fields


def read_draft(fields: Mapping[str, str], now: datetime) -> Draft:
    """The notice that the fields make; `now` is the park's local time. Raises Faults with all that is wrong."""
    reading = _Reading(fields, now)
    faults = (*reading.gaps(), *reading.misfits())
    if faults:
        raise Faults(faults)
    return reading.draft()


@dataclass(frozen=True, slots=True)
class _Reading:
    fields: Mapping[str, str]
    now: datetime

    def value(self, name: str) -> str:
        return self.fields.get(name, "").strip()

    def gaps(self) -> Iterator[Said]:
        if UNREAD in self.fields:
            yield Said("policy.fault_unread", {"given": self.fields[UNREAD][:30]})
        for name in ("title", "body"):
            if not any(char.isalnum() for char in self.value(name)):
                yield Said("policy.fault_missing", {"label": Said(LABELS[name])})
        for name, label in LABELS.items():
            most, length = _MOST.get(name, _MOST_OTHER), len(self.value(name))
            if length > most:
                yield Said("policy.fault_long", {"label": Said(label), "most": most, "length": length})
            elif name in ("title", "doc_no", "url") and "\n" in self.value(name):
                yield Said("policy.fault_lines", {"label": Said(label)})

    def misfits(self) -> Iterator[Said]:
        if self.value("url") and not _URL.fullmatch(self.value("url")):
            yield Said("policy.fault_url", {"given": self.value("url")[:60]})
        yield from (Said("policy.fault_facet", {"given": piece[:40]}) for piece in _odd_facets(self.value("audience")))
        yield from self._window_faults()
        yield from self._post_faults()

    def _window_faults(self) -> Iterator[Said]:
        given = self.value("window")
        if not given:
            return
        try:
            closes_on = read_window(given, self.now.date())
        except ValueError:
            yield Said("policy.fault_window", {"given": given[:40]})
            return
        post_at = self._post_at()
        leaves = max(self.now, post_at or self.now).date()
        if closes_on is not None and closes_on < leaves:
            yield Said("policy.fault_closed", {"last": closes_on})

    def _post_faults(self) -> Iterator[Said]:
        given = self.value("post_at")
        try:
            post_at = read_moment(given, self.now)
        except ValueError:
            yield Said("policy.fault_post_at", {"given": given[:40]})
            return
        midnight_today = post_at is not None and post_at.date() == self.now.date() and not post_at.hour + post_at.minute
        if post_at is not None and post_at < self.now.replace(second=0, microsecond=0) and not midnight_today:
            yield Said("policy.fault_past", {"at": post_at})

    def _post_at(self) -> datetime | None:
        try:
            return read_moment(self.value("post_at"), self.now)
        except ValueError:
            return None

    def draft(self) -> Draft:
        window = self.value("window")
        content = Content(
            title=self.value("title"),
            body=self.value("body"),
            doc_no=self.value("doc_no"),
            url=self.value("url"),
            audience=read_audience(self.value("audience")),
            fields={name: self.value(name) for name in _SHOWN if self.value(name)},
            closes_on=read_window(window, self.now.date()) if window else None,
        )
        post_at = self._post_at()
        return Draft(content, post_at if post_at is not None and post_at > self.now else None)


def read_audience(text: str) -> Audience:
    """`行业=机械,食品；规模=规上；片区=大树营；标签=高新`; a piece without = describes and narrows nothing."""
    facets: dict[str, tuple[str, ...]] = dict.fromkeys(FACETS, ())
    words: list[str] = []
    for piece in _pieces(text):
        facet, values = _facet(piece)
        if facet:
            facets[facet] = tuple(dict.fromkeys((*facets[facet], *values)))
        elif fold(piece) not in _ALL:
            words.append(piece)
    industries, sizes, zones, tags = facets.values()
    return Audience(industries, sizes, zones, tags, "；".join(words))


def _pieces(text: str) -> Iterator[str]:
    return (piece.strip() for piece in _PIECES.split(text) if piece.strip())


def _facet(piece: str) -> tuple[str, tuple[str, ...]]:
    """The facet that a piece names and its words; an empty name where it is none."""
    label, sign, values = piece.replace("＝", "=").partition("=")
    facet = _FACET_WORDS.get(fold(label), "") if sign else ""
    return facet, tuple(word for value in _VALUES.split(values) if (word := value.strip()))


def _odd_facets(text: str) -> Iterator[str]:
    return (piece for piece in _pieces(text) if "=" in piece.replace("＝", "=") and not _facet(piece)[0])
