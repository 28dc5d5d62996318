"""One process of lianqi from opening the database to closing it: app, web server, and the demo's pushed clock."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bot import __version__
from bot.app import App, Park, machine_seconds, machine_time
from bot.channel import Channel, Doorkeeper
from bot.channels import Kit, Menu, make_channel
from bot.civil import CivilClock
from bot.demo.controls import Controls, opening
from bot.demo.park import seed
from bot.flooding import Flood
from bot.keys import settle_key
from bot.metrics import Metrics
from bot.timed import TimedDatabase
from bot.web.bell import Bell
from bot.web.board import PostBoard
from bot.web.context import WebContext
from bot.web.server import make_web, serve
from domain.said import Said
from domain.verbs import Verb
from handlers import menus
from storage import accounts, moments
from storage.database import Database
from storage.open import CONNECTIONS, open_database
from storage.sole import sole
from texts import LANGUAGES, render


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to run: the park, where it is kept, where its pages answer (port 0 asks for a free one).

    `channels` are those that are on, each with its section of config.toml. Without `key_file` nothing is sealed.
    """

    park: Park
    storage: str
    host: str
    port: int
    public_url: str = ""
    proxies: Sequence[str] = ()
    channels: Mapping[str, Any] = field(default_factory=lambda: {"web": None})
    demo: bool = False
    fast: bool = False
    connections: int = CONNECTIONS
    key_file: Path | None = None


async def run_program(plan: Plan, announce: Callable[[str], None]) -> None:
    """Run until SIGINT or SIGTERM; `announce` hears the address of the pages once they answer."""
    database = await open_database(plan.storage, connections=plan.connections, release=__version__)
    try:
        with sole(plan.storage):
            await _until_stopped(_run(plan, database, announce))
    finally:
        await database.close()


async def _until_stopped(work: Coroutine[Any, Any, None]) -> None:
    async with asyncio.TaskGroup() as group:
        running = group.create_task(work)
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        group.create_task(_end(stop, running))


async def _end(stop: asyncio.Event, running: "asyncio.Task[None]") -> None:
    """Cancel the program when it is told to stop; end quietly when it ends by itself."""
    waiting = asyncio.create_task(stop.wait())
    await asyncio.wait({waiting, running}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    running.cancel()


async def _run(plan: Plan, opened: Database, announce: Callable[[str], None]) -> None:
    metrics = Metrics(machine_seconds)
    database = TimedDatabase(opened, metrics)
    civil = await _civil(plan, database)
    bell = Bell()
    database.watch(bell.ring)
    board = PostBoard(database, bell, civil)
    key = await settle_key(database, plan.key_file) if plan.key_file else None
    channels = make_channels(plan.park, plan.channels, board)
    app = App(plan.park, database, channels, civil=civil, key=key, metrics=metrics, flood=Flood())
    await database.transaction(lambda tx: accounts.switch(tx, plan.channels))
    controls = Controls(app) if plan.demo else None
    if controls is not None:
        await seed(database, plan.park.rules, civil())
        await controls.play(plan.fast)
    web = make_web(_context(plan, app, board, controls))

    def listening(port: int) -> None:
        announce(plan.public_url or f"http://{plan.host}:{port}")

    async with asyncio.TaskGroup() as group:
        group.create_task(app.run(), name="app")
        group.create_task(serve(web, plan.host, plan.port, listening, bell.close, plan.proxies), name="web")
        if controls is not None:
            group.create_task(controls.run(), name="demo clock")


async def _civil(plan: Plan, database: Database) -> CivilClock:
    """Civil time: the real one, or the demo's, which goes on from where an earlier run had pushed it."""
    if not plan.demo:
        return CivilClock(machine_time)
    start = opening(plan.park.rules.calendar, machine_time())
    latest = await database.reading(moments.latest)
    return CivilClock(machine_time, max(start, latest) if latest else start)


def make_channels(
    park: Park, channels: Mapping[str, Any], board: PostBoard | None = None
) -> Mapping[str, Channel]:
    """The channels that are switched on, each of its settings."""
    return {name: make_channel(name, kit) for name, kit in kits(park, channels, board).items()}


def kits(park: Park, channels: Mapping[str, Any], board: PostBoard | None = None) -> Mapping[str, Kit]:
    """What each channel is made of."""
    strangers, groups = _menu(park, menus.STRANGER), _menu(park, menus.GROUP)

    def say(said: Said) -> str:
        return render(park.catalogue, said, park.rules.language, park.rules.calendar.zone)

    url = park.rules.public_url
    return {name: Kit(settings, say, board, strangers, groups, url) for name, settings in channels.items()}


def _menu(park: Park, verbs: Sequence[Verb]) -> Menu:
    """A list of commands in every language; who speaks none of them gets the park's."""
    found = {language: menus.lines(park.catalogue, verbs, language) for language in LANGUAGES}
    return {"": found[park.rules.language], **found}


def _context(plan: Plan, app: App, board: PostBoard, controls: Controls | None) -> WebContext:
    return WebContext(
        database=app.database,
        rules=app.park.rules,
        catalogue=app.park.catalogue,
        board=board,
        wake=app.dispatcher.wake,
        clock_now=app.civil,
        machine_now=machine_time,
        public_url=plan.public_url,
        demo=controls,
        health=app.health.problems,
        metrics=app.scrape,
        hosts=frozenset({plan.host}),
        routes=tuple(route for channel in app.channels.values() for route in channel.routes(app.desk)),
        doorkeeper=next((channel for channel in app.channels.values() if isinstance(channel, Doorkeeper)), None),
    )


@contextlib.asynccontextmanager
async def opened(storage: str) -> AsyncIterator[Database]:
    """The database for an errand of the command line."""
    database = await open_database(storage, release=__version__)
    try:
        yield database
    finally:
        await database.close()
