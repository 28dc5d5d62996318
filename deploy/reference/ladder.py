"""The ladder that holds where config.toml says nothing else."""

from collections.abc import Mapping, Sequence

from bot.config.sections import DISPATCH_LADDER, Ladder, Survey
from deploy.reference.tables import both, data, en, table, zh
from domain.rules import Clock, Rung
from domain.spans import Span, Unit


def rungs() -> str:
    """Every rung of every clock: when, to whom, and what it waits for."""
    names = data("ladder")["listeners"]
    rows = [
        (
            f"{zh(f'clock.{clock}')} {en(f'clock.{clock}')}",
            f"`{_when(rung)}`",
            "；".join(names[listener]["zh"] for listener in rung.tell),
            "; ".join(names[listener]["en"] for listener in rung.tell),
            both({"zh": "协调员“放行”后才发", "en": "held until the coordinator releases it"}) if rung.release else "",
        )
        for clock, ladder in _ladders().items()
        for rung in ladder
    ]
    return table(("时限 / clock", "何时 / when", "告诉谁", "who is told", "条件 / condition"), rows)


def _when(rung: Rung) -> str:
    """The spelling in config; the survey's rungs have names there, so their moment is written out."""
    if rung.label.isalpha() and isinstance(rung.at, Span):
        days = rung.at.unit is Unit.WORKING_DAYS
        return f"+{rung.at.amount}wd" if days else f"+{rung.at.amount}s"
    return rung.label


def _ladders() -> Mapping[Clock, Sequence[Rung]]:
    park = Ladder()
    return {
        Clock.DISPATCH: DISPATCH_LADDER,
        **{Clock(name): [row.rung() for row in rows] for name, rows in park},
        Clock.SURVEY: Survey().ladder(),
    }
