"""The catalogue of sentences: read from texts/*.toml once, checked, and overruled where a park wants to."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from importlib.resources import files
from string import Formatter
from typing import Any

from domain.verbs import Verb

LANGUAGES = ("zh", "en")
SPECS = frozenset({"", "when", "day", "date", "time", "percent", "said", "plain"})
_NAME = re.compile(r"[a-z][a-z0-9_]*")
_OPTIONAL = frozenset({"also", "label"})


class TextError(ValueError):
    """Texts that do not fit together; the message names every fault, one a line."""


@dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages; a verb may have more spellings (`also`) and an English button."""

    zh: str
    en: str
    also: tuple[str, ...] = ()
    label: str | None = None

    def of(self, language: str) -> str:
        """The sentence in this language; Chinese for any language that lianqi does not speak."""
        return self.en if language == "en" else self.zh


def holes(template: str) -> frozenset[str]:
    """The names of the holes of a sentence; raises ValueError where one is no {name:format}."""
    return frozenset(name for name, _ in _holes(template))


@dataclass(frozen=True)
class Catalogue:
    """All sentences by key. A strict one raises where something is missing; any other shows 「…」."""

    texts: Mapping[str, Text]
    strict: bool = False

    @classmethod
    def load(
        cls, overrides: Mapping[str, Mapping[str, str]] | None = None, *, strict: bool = False
    ) -> Catalogue:
        """Read all texts and lay a park's own sentences over them; raises TextError with all faults."""
        texts = dict(_shipped())
        faults: list[str] = []
        for key, sentences in (overrides or {}).items():
            found = list(_override_faults(texts, key, sentences))
            if not found:
                text = texts[key]
                texts[key] = replace(text, zh=sentences.get("zh", text.zh), en=sentences.get("en", text.en))
            faults += found
        _complain(faults)
        catalogue = cls(texts, strict)
        catalogue.words()
        return catalogue

    def word(self, verb: Verb, language: str) -> str:
        """The command word of a verb: 接单 or accept."""
        return self.texts[f"verb.{verb}"].of(language)

    def label(self, verb: Verb, language: str) -> str:
        """What stands on the verb's button: 我家也有 or Me too."""
        text = self.texts[f"verb.{verb}"]
        if language != "en":
            return text.zh
        return text.label or text.en.capitalize()

    def words(self) -> Mapping[str, Verb]:
        """Every spelling of every verb, case-folded; raises TextError where two verbs share one."""
        return self._words

    @cached_property
    def _words(self) -> Mapping[str, Verb]:
        words: dict[str, Verb] = {}
        faults: list[str] = []
        for verb in Verb:
            text = self.texts.get(f"verb.{verb}")
            if text is None:
                faults.append(f"verb.{verb}: the verb has no words")
                continue
            for spelling in dict.fromkeys(word.casefold() for word in (text.zh, text.en, *text.also)):
                other = words.setdefault(spelling, verb)
                if other is not verb:
                    faults.append(f"verb.{verb}: 「{spelling}」 is already a word for verb.{other}")
        _complain(faults)
        return words


@lru_cache(maxsize=1)
def _shipped() -> Mapping[str, Text]:
    texts: dict[str, Text] = {}
    faults: list[str] = []
    pages = [page for page in files(__package__ or "texts").iterdir() if page.name.endswith(".toml")]
    for page in sorted(pages, key=lambda page: page.name):
        for key, entry in _entries(tomllib.loads(page.read_text(encoding="utf-8"))):
            found = list(_entry_faults(texts, key, entry))
            faults += [f"{page.name}: {fault}" for fault in found]
            if not found:
                texts[key] = _text(entry)
    _complain(faults)
    return texts


def _entries(table: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Flatten tables to dotted keys: `[appeal.filed]` and `["appeal.filed"]` are the same sentence."""
    for name, value in table.items():
        key = f"{prefix}{name}"
        if not isinstance(value, dict):
            raise TextError(f"{key}: a sentence needs zh and en, found {value!r}")
        if any(isinstance(inner, dict) for inner in value.values()):
            yield from _entries(value, f"{key}.")
        else:
            yield key, value


def _entry_faults(texts: Mapping[str, Text], key: str, entry: Mapping[str, Any]) -> Iterator[str]:
    if key in texts:
        yield f"{key}: stands twice"
    missing = [language for language in LANGUAGES if not isinstance(entry.get(language), str)]
    if missing:
        yield f"{key}: lacks {' and '.join(missing)}"
        return
    odd = sorted(set(entry) - set(LANGUAGES) - (_OPTIONAL if key.startswith("verb.") else frozenset()))
    if odd:
        yield f"{key}: unknown {', '.join(odd)}"
    try:
        zh, en = holes(entry["zh"]), holes(entry["en"])
    except ValueError as error:
        yield f"{key}: {error}"
        return
    if zh != en:
        yield f"{key}: the holes differ: {_listed(zh ^ en)} in one language only"


def _override_faults(texts: Mapping[str, Text], key: str, sentences: Mapping[str, str]) -> Iterator[str]:
    if key not in texts:
        yield f"[texts] {key}: there is no such sentence"
        return
    for language, sentence in sentences.items():
        if language not in LANGUAGES:
            yield f"[texts] {key}: unknown language {language}; write zh or en"
            continue
        shipped = texts[key].of(language)
        try:
            unknown = holes(sentence) - holes(shipped)
        except ValueError as error:
            yield f"[texts] {key} ({language}): {error}"
            continue
        if unknown:
            allowed = _listed(holes(shipped)) or "none"
            yield f"[texts] {key} ({language}): unknown hole {_listed(unknown)}; allowed are: {allowed}"


def _holes(template: str) -> Iterator[tuple[str, str]]:
    for _, name, spec, conversion in Formatter().parse(template):
        if name is None:
            continue
        if conversion or not _NAME.fullmatch(name):
            raise ValueError(f"a hole is a plain name, not {{{name}}}")
        if (spec or "") not in SPECS:
            known = ", ".join(sorted(SPECS - {""}))
            raise ValueError(f"unknown format in {{{name}:{spec}}}; known are: {known}")
        yield name, spec or ""


def _text(entry: Mapping[str, Any]) -> Text:
    zh, en = entry["zh"].strip("\n"), entry["en"].strip("\n")
    return Text(zh, en, tuple(entry.get("also", ())), entry.get("label"))


def _listed(names: frozenset[str]) -> str:
    return ", ".join(f"{{{name}}}" for name in sorted(names))


def _complain(faults: list[str]) -> None:
    if faults:
        raise TextError("\n".join(faults))
