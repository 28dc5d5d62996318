"""The sections of config.toml with every key, its kind, its default and what is checked; each class is one [table]."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from datetime import time
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from bot.config import values
from bot.config.problems import Wrong, wrong
from domain.hours import Hours, Season, parse_interval
from domain.rules import Category, DigestTimes, Kind, Listener, Route, Rung, SurveyTerms, Terms
from domain.said import Said
from domain.spans import Span, parse_span
from domain.workdays import Unit

DOCUMENTS = ("reminder_notice",)
"""What a rung of a ladder can bring along: 催办通知书."""
RELEASERS = (Listener.COORDINATOR,)
"""Who may hold a rung's message until it is released: 放行 is the coordinator's."""


class Section(BaseModel):
    """A table of config.toml: unknown keys are errors, nothing changes after it was read, no input is repeated."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)


class Park(Section):
    """[park]"""

    name: values.Given = Field(examples=["XX县工业园"])
    timezone: values.Zone = Field(default=values.read_zone("Asia/Shanghai"))
    language: Literal["zh", "en"] = "zh"


class Storage(Section):
    """[storage]"""

    url: values.StorageAddress = SecretStr("sqlite:///data/lianqi.db")
    url_file: Path | None = None
    connections: values.Count = 8

    @property
    def scheme(self) -> str:
        """`sqlite` or `postgresql`."""
        return self.url.get_secret_value().partition("://")[0]


class Web(Section):
    """[web]"""

    host: values.Given = "127.0.0.1"
    port: values.Port = 8080
    public_url: values.WebAddress = ""
    proxies: values.Networks = ()


class WebChannel(Section):
    """[channels.web]"""

    enabled: bool = True


class Telegram(Section):
    """[channels.telegram]"""

    token: values.TelegramToken = Field(examples=["123456:ABC-DEF"])
    token_file: Path | None = None
    api_base: values.WebAddress = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: values.SafeAddress = ""
    webhook_secret: values.WebhookSecret = SecretStr("")
    webhook_secret_file: Path | None = None

    @model_validator(mode="after")
    def _webhook_is_whole(self) -> Telegram:
        if self.mode == "webhook":
            given = {"webhook_url": self.webhook_url, "webhook_secret": self.webhook_secret.get_secret_value()}
            faults = [((key,), Said("config.webhook_needs")) for key, value in given.items() if not value]
            if faults:
                raise Wrong(*faults)
            if not urlsplit(self.webhook_url).path.startswith("/channels/telegram/"):
                raise Wrong((("webhook_url",), Said("config.webhook_path")))
        return self


class WecomAibot(Section):
    """[channels.wecom_aibot]"""

    bot_id: values.Given = Field(examples=["aibXXXXXXXX"])
    secret: values.Secret = Field(examples=["XXXXXXXX"])
    secret_file: Path | None = None
    name: values.Text = ""
    url: values.SocketAddress = "wss://openws.work.weixin.qq.com"


class WecomApp(Section):
    """[channels.wecom_app]"""

    corp_id: values.Given = Field(examples=["wwXXXXXXXX"])
    agent_id: int = Field(examples=[1000002])
    secret: values.Secret = Field(examples=["XXXXXXXX"])
    secret_file: Path | None = None
    token: values.Secret = Field(examples=["XXXXXXXX"])
    token_file: Path | None = None
    aes_key: values.AesKey = Field(examples=["X" * 43])
    aes_key_file: Path | None = None
    api_base: values.WebAddress = "https://qyapi.weixin.qq.com"


class WecomGroup(Section):
    """[channels.wecom_group]"""

    api_base: values.WebAddress = "https://qyapi.weixin.qq.com"
    webhooks: Annotated[Mapping[str, values.Secret], "table of secrets"] = Field(
        min_length=1, examples=[{"联企群": "XXXXXXXX"}]
    )
    webhooks_file: Path | None = None


class Channels(Section):
    """[channels.*]: a channel is on when its section is there; the web page is on unless it is switched off."""

    web: WebChannel = WebChannel()
    telegram: Telegram | None = None
    wecom_aibot: WecomAibot | None = None
    wecom_app: WecomApp | None = None
    wecom_group: WecomGroup | None = None

    @property
    def on(self) -> tuple[str, ...]:
        """The names of the channels that are on."""
        names = [name for name in Channels.model_fields if name != "web" and getattr(self, name) is not None]
        return (*(["web"] if self.web.enabled else []), *names)

    @property
    def sections(self) -> Mapping[str, Section]:
        """The sections of the channels that are on, by name."""
        return {name: getattr(self, name) for name in self.on}

    @model_validator(mode="after")
    def _somebody_listens(self) -> Channels:
        if not set(self.on) - {"wecom_group"}:  # a group robot only speaks
            raise wrong("config.no_channel")
        return self


class SeasonHours(Section):
    """[[hours.season]]"""

    start: values.Day = Field(alias="from", examples=[(5, 1)])
    end: values.Day = Field(alias="to", examples=[(9, 30)])
    intervals: values.Intervals = Field(examples=[(parse_interval("08:00-12:00"), parse_interval("15:00-18:00"))])


class WorkingHours(Section):
    """[hours]"""

    intervals: values.Intervals = (parse_interval("08:30-12:00"), parse_interval("14:00-17:30"))
    always: bool = False
    quiet: values.Quiet = parse_interval("21:00-08:00")
    season: tuple[SeasonHours, ...] = ()

    def hours(self) -> Hours:
        """As the calendar wants them."""
        seasons = tuple(Season(one.start, one.end, one.intervals) for one in self.season)
        return Hours(self.intervals, seasons, self.always, self.quiet)


class Deadlines(Section):
    """[deadlines]; the defaults lie within the ranges that counties publish."""

    dispatch: values.Duration = parse_span("4wh")
    dispatch_urgent: values.Duration = parse_span("1h")
    acknowledge: values.Duration = parse_span("1wd")
    urgent: values.Duration = parse_span("2h")
    inquiry: values.Duration = parse_span("2wd")
    inquiry_hard: values.Duration = parse_span("3wd")
    appeal: values.Duration = parse_span("10wd")
    appeal_easy: values.Duration = parse_span("3wd")
    appeal_hard: values.Duration = parse_span("15wd")
    complaint: values.Duration = parse_span("15wd")
    complaint_accept: values.Duration = parse_span("3wd")
    suggestion: values.Duration = parse_span("10wd")
    blocked_service: values.Duration = parse_span("5wd")
    part: values.Duration = parse_span("3wd")
    extension_total: values.Duration = parse_span("30wd")
    rework: values.Share = 0.5

    def terms(self) -> Terms:
        """As the rules want them."""
        spans = {name: span for name, span in self if isinstance(span, Span)}
        return Terms(**spans, rework_share=self.rework)


class RungTable(Section):
    """[[ladder.acknowledge]], [[ladder.resolve]] and the like"""

    at: values.Given = Field(examples=["-2wd"])
    tell: tuple[Listener, ...] = Field(examples=[(Listener.HANDLER,)])
    document: values.Text = ""
    release: values.Text = ""
    kinds: tuple[Kind, ...] = ()

    @field_validator("at")
    @classmethod
    def _can_be_reached(cls, at: str) -> str:
        values.read_rung(at)
        return at

    @field_validator("tell")
    @classmethod
    def _is_told_to_somebody(cls, tell: tuple[Listener, ...]) -> tuple[Listener, ...]:
        if not tell:
            raise wrong("config.nobody_told")
        return tell

    @field_validator("document")
    @classmethod
    def _is_a_document(cls, document: str) -> str:
        return _one_of(document, DOCUMENTS)

    @field_validator("release")
    @classmethod
    def _can_release(cls, release: str) -> str:
        return _one_of(release, RELEASERS)

    def rung(self) -> Rung:
        """As the ladder wants it; its label is the spelling in config."""
        return Rung(self.at, values.read_rung(self.at), self.tell, self.document, self.release, frozenset(self.kinds))


def _one_of(value: str, allowed: Sequence[str]) -> str:
    if value and value not in allowed:
        raise wrong("config.not_one_of", allowed=" | ".join(f'"{one}"' for one in allowed))
    return value


_HANDLER, _COORDINATOR = (Listener.HANDLER,), Listener.COORDINATOR.value
_CO_HANDLER = (Listener.CO_HANDLER,)


class Ladder(Section):
    """[[ladder.*]]: naming one rung of a clock replaces all rungs of that clock."""

    acknowledge: tuple[RungTable, ...] = (
        RungTable(at="50%", tell=_HANDLER),
        RungTable(at="0s", tell=(Listener.HANDLER, Listener.COORDINATOR)),
    )
    resolve: tuple[RungTable, ...] = (
        RungTable(at="-2wd", tell=_HANDLER),
        RungTable(at="0s", tell=_HANDLER),
        RungTable(at="+1wd", tell=(Listener.HANDLER, Listener.HEAD), document="reminder_notice"),
        RungTable(at="+3wd", tell=(Listener.CHIEF,), release=_COORDINATOR),
        RungTable(at="+5wd", tell=(Listener.INSPECTOR,), release=_COORDINATOR),
    )

    part: tuple[RungTable, ...] = (
        RungTable(at="-1wd", tell=_CO_HANDLER),
        RungTable(at="0s", tell=_CO_HANDLER),
        RungTable(at="+1wd", tell=(Listener.CO_HANDLER, Listener.HEAD), document="reminder_notice"),
        RungTable(at="+3wd", tell=(Listener.HANDLER, Listener.COORDINATOR)),
    )
    milestone: tuple[RungTable, ...] = (
        RungTable(at="-2wd", tell=_HANDLER),
        RungTable(at="0s", tell=_HANDLER),
        RungTable(at="+1wd", tell=(Listener.HANDLER, Listener.COORDINATOR)),
        RungTable(at="+5wd", tell=(Listener.CHIEF,), release=_COORDINATOR),
    )
    order: tuple[RungTable, ...] = (
        RungTable(at="50%", tell=_HANDLER),
        RungTable(at="0s", tell=_HANDLER),
        RungTable(at="+1wd", tell=(Listener.HANDLER, Listener.HEAD, Listener.ORDERER)),
    )

    @field_validator("acknowledge", "resolve", "part", "milestone", "order")
    @classmethod
    def _rungs_differ(cls, rungs: tuple[RungTable, ...]) -> tuple[RungTable, ...]:
        moments = [(_moment(values.read_rung(rung.at)), frozenset(rung.kinds)) for rung in rungs]
        twice = [place for place, moment in enumerate(moments) if moment in moments[:place]]
        if twice:
            raise Wrong(*(((place, "at"), Said("config.rung_twice", {"at": rungs[place].at})) for place in twice))
        return rungs


def _moment(at: float | Span) -> float | Span:
    """What makes two rungs the same: the deadline itself has many spellings."""
    if isinstance(at, Span):
        return at if at.amount else 1.0
    return at


class Survey(Section):
    """[survey]"""

    remind: values.Duration = parse_span("3wd")
    call: values.Duration = parse_span("3wd")
    unrated_after_calls: values.Count = 3

    @model_validator(mode="after")
    def _can_be_added(self) -> Survey:
        if self.remind.unit is not self.call.unit:
            raise Wrong((("call",), Said("config.survey_units")))
        return self

    def terms(self) -> SurveyTerms:
        """As the rules want them."""
        return SurveyTerms(self.remind, self.call, self.unrated_after_calls)

    def ladder(self) -> tuple[Rung, ...]:
        """The firm is asked again `remind` after the work's end, and is called when `call` more has passed."""
        both = Span(self.remind.amount + self.call.amount, self.call.unit)
        return (
            Rung("remind", self.remind, (Listener.CONTACT,)),
            Rung("call", both, (Listener.COORDINATOR,)),
        )


DISPATCH_LADDER = (Rung("0s", Span(0, Unit.WALL), (Listener.COORDINATOR,)),)
"""Intake that waits too long for a decision is told to the coordinator; nobody can switch that off."""


class Digest(Section):
    """[digest]"""

    times: Annotated[tuple[values.ClockTime, ...], "list of times"] = (time(8, 30),)
    monthly: values.ClockTime = time(8, 30)

    @field_validator("times")
    @classmethod
    def _in_order(cls, times: tuple[time, ...]) -> tuple[time, ...]:
        late = [place for place in range(1, len(times)) if times[place] <= times[place - 1]]
        if late:
            raise Wrong(*(((place,), Said("config.times_order")) for place in late))
        return times

    def terms(self) -> DigestTimes:
        """As the rules want them."""
        return DigestTimes(self.times, self.monthly)


class CategoryDeadlines(Section):
    """Terms of a category's own; what is left out follows [deadlines]."""

    appeal: values.Duration | None = None
    appeal_easy: values.Duration | None = None
    appeal_hard: values.Duration | None = None
    inquiry: values.Duration | None = None
    inquiry_hard: values.Duration | None = None
    complaint: values.Duration | None = None
    suggestion: values.Duration | None = None


class CategoryTable(Section):
    """[[category]]: a code of the starting set changes that category, a new code adds one."""

    code: values.Given = Field(examples=["power"])
    name: values.Given | None = None
    keywords: Annotated[tuple[values.Given, ...] | None, "list of texts"] = None
    department: values.Text | None = None
    route: Route | None = None
    sensitive: bool | None = None
    external_code: values.Text | None = None
    enabled: bool = True
    deadlines: CategoryDeadlines = CategoryDeadlines()

    @field_validator("code")
    @classmethod
    def _is_short_and_plain(cls, code: str) -> str:
        plain = set(string.ascii_lowercase + string.digits + "_")
        if len(code) > 24 or not set(code) <= plain or code == "unsure":
            raise wrong("config.bad_code", value=code)
        return code

    def over(self, before: Category | None) -> Category:
        """The category as it was, with what this table says about it."""
        base = before or Category(self.code, self.name or self.code)
        terms = {name: span for name, span in self.deadlines if span is not None}
        return Category(
            code=self.code,
            name=base.name if self.name is None else self.name,
            keywords=base.keywords if self.keywords is None else self.keywords,
            department=base.department if self.department is None else self.department,
            route=base.route if self.route is None else self.route,
            sensitive=base.sensitive if self.sensitive is None else self.sensitive,
            terms={**base.terms, **terms},
            external_code=base.external_code if self.external_code is None else self.external_code,
        )


class Security(Section):
    """[security]"""

    key_file: Path = Path("data/lianqi.key")
