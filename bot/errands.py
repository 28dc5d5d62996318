"""What the verbs of the command line do, each from reading the config to one plain line about the outcome."""

import os
import socket
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TypeVar

from bot import logs, reachability
from bot.app import Park, machine_time
from bot.cards import invite_card
from bot.channel import Channel, Finding
from bot.channels import CHANNELS
from bot.config import Config, ConfigError, load_config, secrets_of
from bot.findings import findings
from bot.keys import KeyTrouble, key_findings
from bot.program import Plan, make_channels, opened, run_program
from bot.web.server import CannotListen
from domain.errors import Refused
from domain.ledger import EVERYTHING_SINCE
from domain.people import Chat, Enterprise, Person
from domain.roster import Problem, Roster
from domain.roster_check import check as check_roster
from domain.rules import Rules
from domain.said import Fact, Said
from handlers import ledger, policy_ledger
from reports.roster import write_roster
from storage import calendars, chats, invites, leases, people, reaching, roster
from storage.database import Database, Tx
from storage.open import BACKENDS
from storage.years import read_years
from texts import Catalogue, render

Echo = Callable[[str], None]
Trouble = TypeVar("Trouble", bound=BaseException)
DEMO_PORTS = 20


class Failed(Exception):
    """The errand could not be done; the message says why and what would help."""


@dataclass(frozen=True, slots=True)
class Office:
    """A read config with what is made of it."""

    config: Config
    rules: Rules
    catalogue: Catalogue

    def say(self, key: str, facts: Mapping[str, Fact] | None = None) -> str:
        """A sentence in the park's language."""
        return self.render(Said(key, facts or {}))

    def render(self, said: Said) -> str:
        """The same for a sentence that is made already."""
        return render(self.catalogue, said, self.rules.language, self.rules.calendar.zone)


def _office(config: Config) -> Office:
    return Office(config, config.rules(read_years()), Catalogue.load(config.texts))


def read_office(path: Path) -> Office:
    """The config of that file and what is made of it; ConfigError names everything that is wrong with it."""
    config = load_config(path, os.environ)
    config.require_channels(CHANNELS)
    config.require_storage(BACKENDS)
    return _office(config)


def _plan(office: Office, *, demo: bool = False, fast: bool = False) -> Plan:
    web = office.config.web
    return Plan(
        park=Park(office.rules, office.catalogue),
        storage=office.config.storage_url,
        host=web.host,
        port=web.port,
        public_url=web.public_url,
        proxies=web.proxies,
        channels=office.config.channels.sections,
        demo=demo,
        fast=fast,
        connections=office.config.storage.connections,
        key_file=office.config.security.key_file,
    )


async def run(path: Path, echo: Echo) -> None:
    """`lianqi run`: the park of config.toml, until it is stopped."""
    office = read_office(path)
    await _run(office, _plan(office), lambda url: echo(office.say("errand.running", {"url": url})))


async def demo(port: int, data: Path, echo: Echo, *, fast: bool) -> None:
    """`lianqi demo`: the seeded park; the next free port where the wanted one is taken."""
    config = Config.demo(port=_free_port(port), data=data)
    office = _office(config)
    await _run(office, _plan(office, demo=True, fast=fast), lambda url: echo(office.say("errand.demo", {"url": url})))


async def _run(office: Office, plan: Plan, announce: Echo) -> None:
    logs.set_up(secrets=secrets_of(office.config))
    try:
        await run_program(plan, announce)
    except* KeyTrouble as group:
        raise key_problem(office, _first(group)) from None
    except* CannotListen as group:
        key = "errand.port_taken" if _first(group).taken else "errand.cannot_listen"
        raise Failed(office.say(key, {"host": plan.host, "port": plan.port})) from None


def _first(group: BaseExceptionGroup[Trouble]) -> Trouble:
    """What went wrong first, out of groups within groups."""
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def key_problem(office: Office, trouble: KeyTrouble) -> ConfigError:
    """A key that cannot be used, as a fault of the config."""
    return ConfigError([office.config.problem(("security", "key_file"), trouble.said)])


def _free_port(wanted: int) -> int:
    """The wanted port, or one of the next twenty where somebody else listens on it."""
    if wanted == 0:
        return 0
    for port in range(wanted, wanted + DEMO_PORTS):
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    return 0


async def check(path: Path, echo: Echo) -> None:
    """`lianqi check`: everything that will not work, in plain words; fails where something must be mended."""
    office = read_office(path)
    at = machine_time()
    async with opened(office.config.storage_url) as database:
        found = list(await database.reading(lambda tx: _findings(tx, office, at)))
        found += await key_findings(database, office.config.security.key_file)
        found += await _examine_channels(office, database)
        lost = await database.reading(lambda tx: reaching.unreached(tx, office.config.channels.on))
    for finding in (*found, *reachability.findings(lost)):
        echo(office.say("errand.must" if finding.must else "errand.may", {"what": finding.said}))
    if (left := reachability.steps(found, lost)) is not None:
        echo(office.render(left))
    if any(finding.must for finding in found):
        raise Failed(office.say("errand.check_failed"))
    echo(office.say("errand.check_passed"))


async def _findings(tx: Tx, office: Office, at: datetime) -> Sequence[Finding]:
    return await findings(tx, await calendars.in_force(tx, office.rules), at)


async def _examine_channels(office: Office, database: Database) -> list[Finding]:
    """What the platforms themselves say: whether they are reached, and what they will not bring."""
    found: list[Finding] = []
    made = make_channels(Park(office.rules, office.catalogue), office.config.channels.sections)
    for name, channel in made.items():
        where = reaching.ROBOTS.get(name, name)
        groups = await database.reading(lambda tx, where=where: people.groups_on(tx, where))  # type: ignore[misc]  # mypy cannot type a lambda with a default
        found += await _unheard(database, name, channel)
        if channel.abilities.single_connection and await _is_connected(database, name):
            found.append(Finding(Said("check.connected", {"channel": name})))
        else:
            found += await channel.examine({group.external_id: group.name for group in groups})
        await channel.close()
    return found


async def _is_connected(database: Database, name: str) -> bool:
    """Whether a running program holds the channel's one connection, which a second one would end."""
    return await database.reading(lambda tx: leases.any_held(tx, f"{name}:"))


async def _unheard(database: Database, name: str, channel: Channel) -> list[Finding]:
    """The groups in which the bot may not write, as nobody has spoken to it there."""
    if not channel.abilities.answers_only:
        return []
    silent = await database.reading(lambda tx: people.unheard_groups(tx, name))
    return [Finding(Said("check.never_spoke", {"group": group}), must=True) for group in silent]


async def import_roster(path: Path, source: Path, marked: Path | None, echo: Echo, *, dry_run: bool) -> None:
    """`lianqi import`: all rows good, or none is taken and every bad one is named."""
    from bot import apart, workbook  # what reads workbooks takes memory, and the running program reads none

    office = read_office(path)
    at = machine_time()
    async with opened(office.config.storage_url) as database:
        known = await database.reading(roster.export)
        try:
            tables = apart.read(source)
        except Refused as refused:
            raise Failed(office.say(refused.key, refused.facts)) from None
        checked = check_roster(tables, known)
        for problem in checked.problems:
            echo(office.say("errand.warning" if problem.warning else "errand.problem", _problem_facts(problem)))
        if marked is not None:
            _write(office, marked, workbook.mark(tables, checked.problems, office.render))
        if checked.errors:
            raise Failed(office.say("errand.nothing_imported", {"count": len(checked.errors)}))
        if dry_run:
            echo(office.say("errand.would_import"))
            return
        imported = await _apply(office, database, checked.roster, at)
    _report(office, imported, echo)


async def _apply(office: Office, database: Database, given: Roster, at: datetime) -> roster.Imported:
    try:
        return await database.transaction(lambda tx: roster.apply(tx, given, at))
    except Refused as refused:
        raise Failed(office.say(refused.key, refused.facts)) from None


def _problem_facts(problem: Problem) -> Mapping[str, Fact]:
    place: Mapping[str, Fact] = {"sheet": problem.sheet, "row": problem.row}
    where = Said("errand.cell", {**place, "column": problem.column}) if problem.column else Said("errand.row", place)
    return {"where": where if problem.sheet else None, "cause": problem.cause}


def _report(office: Office, imported: roster.Imported, echo: Echo) -> None:
    for sheet, counts in imported.counts.items():
        facts: Mapping[str, Fact] = {
            "sheet": Said(f"sheet.{sheet}"),
            "added": counts.added,
            "updated": counts.updated,
            "unchanged": counts.unchanged,
        }
        echo(office.say("errand.imported", facts))
    for sheet, name in imported.kept:
        echo(office.say("errand.kept", {"sheet": Said(f"sheet.{sheet}"), "name": name}))


async def export(path: Path, what: str, out: Path, echo: Echo) -> None:
    """`lianqi export`: a workbook of the ledger, the roster or the policies."""
    office = read_office(path)
    at = machine_time()
    async with opened(office.config.storage_url) as database:
        if what == "roster":
            made = write_roster(await database.reading(roster.export), office.rules.language)
        elif what == "policies":
            made = await database.reading(lambda tx: _policies(tx, office))
        else:
            made = await database.reading(lambda tx: _ledger(tx, office, at))
    _write(office, out, made)
    echo(office.say("errand.exported", {"file": out.name}))


def _write(office: Office, file: Path, content: bytes) -> None:
    """Keep what names people, or holds a code, in a file that is its owner's alone; Failed where it cannot be."""
    try:
        with os.fdopen(os.open(file, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600), "wb") as opened_file:
            opened_file.write(content)
    except OSError as error:
        facts: Mapping[str, Fact] = {"file": str(file), "cause": os.strerror(error.errno or 0)}
        raise Failed(office.say("errand.unwritable", facts)) from None


async def _ledger(tx: Tx, office: Office, at: datetime) -> bytes:
    rules = await calendars.in_force(tx, office.rules)
    return await ledger.build(tx, rules, office.catalogue, EVERYTHING_SINCE, at)


async def _policies(tx: Tx, office: Office) -> bytes:
    return await policy_ledger.build(tx, await calendars.in_force(tx, office.rules), office.catalogue)


async def invite(path: Path, target: str, out: Path | None, echo: Echo) -> None:
    """`lianqi invite`: a single-use code for whoever or whatever bears that name, and its desk card."""
    office = read_office(path)
    at = machine_time()
    if not target.strip():
        raise Failed(office.say("errand.no_name"))
    async with opened(office.config.storage_url) as database:
        found = await database.reading(lambda tx: _named(tx, target.strip(), at))
        if len(found) != 1:
            raise Failed(office.say("errand.nobody" if not found else "errand.several", {"name": target}))
        whom = found[0]
        code = await database.transaction(lambda tx: invites.make(tx, whom, at))
        link = await database.reading(lambda tx: chats.bot_link(tx, "telegram"))
    until = at + invites.LIFETIME
    url = office.config.address
    echo(office.say("errand.invited", {"name": whom.name, "code": code, "until": until, "url": f"{url}/join"}))
    if link:
        echo(office.say("errand.invited_link", {"url": f"{link}?start={code}"}))
    if out is not None:
        card = invite_card(
            office.catalogue,
            office.rules,
            name=whom.name,
            code=code,
            until=until,
            public_url=url,
            start_link=link,
        )
        _write(office, out, card.encode())
        echo(office.say("errand.card", {"file": out.name}))


async def _named(tx: Tx, name: str, at: datetime) -> list[Person | Enterprise | Chat]:
    found: list[Person | Enterprise | Chat] = [*await people.people_named(tx, name, at)]
    found += await people.enterprises_called(tx, name)
    found += await people.groups_called(tx, name)
    return found
