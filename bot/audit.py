"""`lianqi audit verify`: the whole history is held against its seals and against the codes that the inspector kept."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bot.errands import Echo, Failed, Office, key_problem, read_office
from bot.keys import KeyTrouble, known_key
from bot.program import opened
from domain.audit import Fault, Kind
from domain.chain import Head, read_heads
from domain.said import Fact, Said
from storage import verifying
from storage.verifying import Outcome


async def verify(path: Path, given: Sequence[str], echo: Echo) -> None:
    """Tell every fault in a line, then where the chain ends; Failed where there is a fault.

    `given` are codes, hashes, or files that hold some.
    """
    office = read_office(path)
    heads = [head for each in given for head in _heads(office, each)]
    async with opened(office.config.storage_url) as database:
        try:
            key = await known_key(database, office.config.security.key_file)
        except KeyTrouble as trouble:
            raise key_problem(office, trouble) from None
        if key is None:
            raise Failed(office.say("audit.no_chain"))
        outcome = await database.reading(
            lambda tx: verifying.verify(tx, key, heads, lambda fault: echo(office.render(told(fault))))
        )
    _conclude(office, outcome, len(heads), echo)


def _heads(office: Office, given: str) -> Sequence[Head]:
    text = given
    if os.path.isfile(given):  # noqa: PTH113 - a Path refuses what a code may be
        text = Path(given).read_text(encoding="utf-8-sig", errors="replace")
    found = list(read_heads(text))
    if not found:
        raise Failed(office.say("audit.no_code", {"given": given or "--head"}))
    return found


def _conclude(office: Office, outcome: Outcome, heads: int, echo: Echo) -> None:
    end = outcome.end
    if end is not None:
        echo(office.say("audit.end", {"n": end.n, "code": end.code, "hash": end.hash, "at": end.at}))
    echo(office.say("audit.counts", {"waiting": outcome.waiting, "erased": outcome.erased, "heads": heads}))
    if outcome.faults:
        raise Failed(office.say("audit.unsound", {"count": outcome.faults}))
    echo(office.say("audit.sound"))


def told(fault: Fault) -> Said:
    """A fault in words: what, at which seal, of which appeal."""
    facts: Mapping[str, Fact] = {"n": fault.n, "event": fault.event, "other": fault.other}
    seal = Said("audit.seal", {"n": fault.n}) if fault.n and fault.kind is not Kind.CUT else None
    appeal = Said("audit.appeal", {"number": fault.appeal}) if fault.appeal else None
    return Said("audit.fault", {"what": Said(_key(fault), facts), "seal": seal, "appeal": appeal})


def _key(fault: Fault) -> str:
    if fault.kind is Kind.MISSING and fault.event is None:
        return "audit.fault_missing_many"
    if fault.kind is Kind.CUT and fault.other is None:
        return "audit.fault_unknown"
    return f"audit.fault_{fault.kind}"
