"""The whole configuration as one value, and what the floors below are given of it."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from pydantic import Field, PrivateAttr, SecretStr, field_validator

from bot.config import sections, values
from bot.config.origin import Origin
from bot.config.problems import ConfigError, Problem, Wrong
from bot.config.problems import Path as Way
from domain.holidays import YearTable
from domain.rules import Category, Clock, Rules, Rung
from domain.said import Said
from domain.workdays import Calendar
from texts import Catalogue


class Config(sections.Section):
    """config.toml with the environment over it; every section but [park] may be left out."""

    park: sections.Park
    storage: sections.Storage = sections.Storage()
    web: sections.Web = sections.Web()
    channels: sections.Channels = sections.Channels()
    hours: sections.WorkingHours = sections.WorkingHours()
    deadlines: sections.Deadlines = sections.Deadlines()
    ladder: sections.Ladder = sections.Ladder()
    survey: sections.Survey = sections.Survey()
    digest: sections.Digest = sections.Digest()
    category: tuple[sections.CategoryTable, ...] = ()
    security: sections.Security = sections.Security()
    texts: values.Texts = Field(default_factory=dict)

    _origin: Origin = PrivateAttr(default_factory=Origin)

    def model_post_init(self, context: object) -> None:
        """Keep where the values stand; the reader hands it over as the context of validation."""
        if isinstance(context, Origin):
            self._origin = context

    @field_validator("category")
    @classmethod
    def _codes_differ(cls, tables: tuple[sections.CategoryTable, ...]) -> tuple[sections.CategoryTable, ...]:
        started = {table.code for table in starting_categories()}
        faults: list[tuple[Way, Said]] = []
        for place, table in enumerate(tables):
            if table.code in (before.code for before in tables[:place]):
                faults.append(((place, "code"), Said("config.code_twice", {"value": table.code})))
            elif table.code not in started and table.name is None:
                faults.append(((place,), Said("config.name_needed", {"value": table.code})))
        if faults:
            raise Wrong(*faults)
        return tables

    @classmethod
    def demo(cls, *, data: Path, port: int = 8080, language: str = "zh") -> Config:
        """A park for looking around: everything as by default, the web channel on, all files in `data`."""
        name = Catalogue.load().texts["config.demo_park"].of(language)
        return cls(
            park=sections.Park.model_validate({"name": name, "language": language}),
            storage=sections.Storage(url=SecretStr(f"sqlite:///{data / 'lianqi.db'}")),
            web=sections.Web(port=port),
            security=sections.Security(key_file=data / "lianqi.key"),
        )

    @property
    def storage_url(self) -> str:
        """Where the rows are, with the password if there is one: for opening the database, never for showing."""
        return self.storage.url.get_secret_value()

    @property
    def address(self) -> str:
        """Where people reach the pages: the public address, else this machine's own. No slash at its end."""
        return self.web.public_url or f"http://{self.web.host}:{self.web.port}"

    @property
    def categories(self) -> Mapping[str, Category]:
        """The starting set with the park's own changes over it, by code, in order."""
        found: dict[str, Category] = {}
        for table in (*starting_categories(), *self.category):
            found[table.code] = table.over(found.get(table.code))
        off = {table.code for table in self.category if not table.enabled}
        return {code: category for code, category in found.items() if code not in off}

    @property
    def ladders(self) -> Mapping[Clock, tuple[Rung, ...]]:
        """The rungs of every clock: the park's own, and those that follow from elsewhere."""
        return {
            Clock.DISPATCH: sections.DISPATCH_LADDER,
            **{Clock(name): tuple(table.rung() for table in tables) for name, tables in self.ladder},
            Clock.SURVEY: self.survey.ladder(),
        }

    def rules(self, years: Iterable[YearTable]) -> Rules:
        """What decisions depend on, counted with these year tables; what the park entered itself is in the database."""
        return Rules(
            park=self.park.name,
            language=self.park.language,
            calendar=Calendar(years, self.hours.hours(), self.park.timezone),
            terms=self.deadlines.terms(),
            ladders=self.ladders,
            survey=self.survey.terms(),
            digest=self.digest.terms(),
            categories=self.categories,
            public_url=self.web.public_url,
        )

    def problem(self, path: Way, said: Said) -> Problem:
        """A trouble that only shows later (a department that the roster lacks), with its line in the file."""
        return self._origin.problem(path, said)

    def require_channels(self, known: Collection[str]) -> None:
        """Raise ConfigError for every channel that is on and that this build does not have."""
        lacking = [name for name in self.channels.on if name not in known]
        if lacking:
            raise ConfigError(
                self.problem(("channels", name), Said("config.channel_missing", {"channel": name})) for name in lacking
            )

    def require_storage(self, known: Collection[str]) -> None:
        """Raise ConfigError where the database is of a kind that this build does not have."""
        scheme = self.storage.scheme
        if scheme not in known:
            said = Said("config.storage_missing", {"scheme": scheme, "known": ", ".join(known)})
            raise ConfigError([self.problem(("storage", "url"), said)])


@lru_cache(maxsize=1)
def starting_categories() -> tuple[sections.CategoryTable, ...]:
    """The categories that come with the program."""
    text = files("bot.config").joinpath("categories.toml").read_text(encoding="utf-8")
    return tuple(sections.CategoryTable.model_validate(table) for table in tomllib.loads(text)["category"])
