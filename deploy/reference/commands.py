"""The commands: their words, an example, who may use them, in which statuses, what comes of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploy.reference.tables import both, catalogue, data, en, table, zh
from domain import access
from domain.appeal import OPEN, Status
from domain.lifecycle import open_to
from domain.people import Role
from domain.verbs import Verb
from handlers.router import FOR_STRANGERS

_HEADERS = ("命令 / command", "例 / example", "谁 / who", "什么状态 / status", "作用 / what it does")


def described() -> Mapping[Verb, Mapping[str, Any]]:
    """What the data file says, by verb; ValueError for a name that is no verb."""
    return {Verb(name): words for group in data("commands")["group"] for name, words in group["commands"].items()}


def tables() -> str:
    """One table a group, in the order of the data file."""
    parts = [f"## {group['zh']} · {group['en']}\n\n{_table(group['commands'])}" for group in data("commands")["group"]]
    return "\n\n".join(parts)


def _table(commands: Mapping[str, Mapping[str, Any]]) -> str:
    rows = []
    for name, words in commands.items():
        verb = Verb(name)
        rows.append((_words(verb), f"`{words['say']}`", "<br>".join(who(verb)), _when(verb, words), both(words)))
    return table(_HEADERS, rows)


def _words(verb: Verb) -> str:
    text = catalogue().texts[f"verb.{verb}"]
    also = f"<br>{' · '.join(text.also)}" if text.also else ""
    return f"**{text.zh}** {text.en}{also}"


def who(verb: Verb) -> tuple[str, str]:
    """Who may use a command, in Chinese and in English; ValueError where access.py lets nobody."""
    if verb in access.WITH_APPEAL:
        words = data("commands")["relations"]
        held = [relation for relation in access.Relation if relation in access.WITH_APPEAL[verb]]
        if len(held) == len(access.Relation):
            return "能看到这件事的人", "whoever may see it"
        return "、".join(words[one]["zh"] for one in held), ", ".join(words[one]["en"] for one in held)
    roles = access.WITHOUT_APPEAL.get(verb)
    if not roles:
        raise ValueError(f"nobody may {verb}: it stands in no table of domain/access.py")
    if roles == frozenset(Role):
        return ("任何人", "anybody") if verb in FOR_STRANGERS else ("名册上的每个人", "everybody in the roster")
    named = [f"role.{role}" for role in Role if role in roles]
    return "、".join(map(zh, named)), ", ".join(map(en, named))


def _when(verb: Verb, words: Mapping[str, Any]) -> str:
    if verb not in access.WITH_APPEAL:
        return "—"
    statuses = frozenset[Status]().union(*map(open_to, (verb, *map(Verb, words.get("like", ())))))
    return "、".join(_statuses(statuses)) if statuses else "不限 / any"


def _statuses(statuses: frozenset[Status]) -> Iterator[str]:
    """Their office words; all that are open go by one word."""
    if statuses >= OPEN:
        yield "未办结"
        statuses -= OPEN
    yield from (zh(f"status.{status}") for status in Status if status in statuses)
