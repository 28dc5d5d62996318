"""What the running program answers to and does by itself: addresses, channels, jobs."""

from collections.abc import Iterable, Iterator
from dataclasses import fields
from importlib import import_module

from starlette.routing import BaseRoute, Mount, Route

from bot.channel import Abilities, Pace
from bot.channels import CHANNELS
from bot.web import demo
from bot.web.server import ROUTES
from deploy.reference.tables import first_words, table
from handlers import AT_START, JOBS, sealer

EVERY_JOB = (*AT_START, sealer(b""), *JOBS)


def jobs() -> str:
    """Every job: what it looks for, what it does with each key, when it looks next."""
    rows = [(f"`{job.name}`", *map(first_words, (job.due, job.work, job.upcoming))) for job in EVERY_JOB]
    return table(("job", "what is due", "what is done with each key", "when it looks next"), rows)


def channels() -> str:
    """Every channel and what its platform can do."""
    names = [field.name for field in fields(Abilities)]
    rows = [
        (f"`{name}`", f"[`[channels.{name}]`](config.md#channels{name})", *_abilities(name, names)) for name in CHANNELS
    ]
    return table(("channel", "config", *(f"`{name}`" for name in names)), rows)


def _abilities(channel: str, names: Iterable[str]) -> Iterator[str]:
    has = import_module(CHANNELS[channel].partition(":")[0]).ABILITIES
    for name in names:
        value = getattr(has, name)
        yield _pace(value) if isinstance(value, Pace) else "yes" if value else "no"


def _pace(pace: Pace) -> str:
    told = [f"{pace.overall} a second"]
    told += [f"{pace.chat_seconds:g} s between two in a chat"] if pace.chat_seconds else []
    told += [
        f"{window.most} in {window.seconds:g} s in a {'group' if window.groups_only else 'chat'}"
        for window in pace.windows
    ]
    return ", ".join(told)


def addresses() -> str:
    """Every address of the web server, the demo's own last."""
    rows = [_address(route) for route in ROUTES] + [_address(route, "demo only: ") for route in demo.ROUTES]
    return table(("method", "address", "what it is"), rows)


def _address(route: BaseRoute, before: str = "") -> tuple[str, str, str]:
    if isinstance(route, Mount):
        return "GET", f"`{route.path}/…`", before + "the page's own style, script and pictures"
    assert isinstance(route, Route)  # there are no other kinds
    methods = " ".join(sorted((route.methods or set()) - {"HEAD"}))
    told = first_words(route.endpoint)
    start, colon, rest = told.partition(": ")
    words = rest if colon and start.split(" ")[0] in ("GET", "POST") else told
    return methods, f"`{route.path}`", before + words
