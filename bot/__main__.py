"""The command line: `lianqi VERB`, the same as `python -m bot VERB`."""

import asyncio
import sys
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeVar

import click

from bot import __version__, audit, calendars, errands, upkeep
from bot.config import ConfigError
from bot.config.problems import speak
from domain.said import Said
from storage.errors import AlreadyRunning, SchemaTooNew, StorageError, StorageUnavailable, UnknownBackend

CONFIG_ERROR = 78
FAILED = 1
DEFAULT = Path("config.toml")

_HEADINGS: Mapping[type[StorageError], str] = {
    AlreadyRunning: "errand.already_running",
    SchemaTooNew: "errand.schema_too_new",
    StorageUnavailable: "errand.storage",
    UnknownBackend: "errand.storage",
}

Command = TypeVar("Command", bound=Callable[..., Any])


class Verbs(click.Group):
    """The verbs; what goes wrong is one plain message and the exit code of the contract."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the verb: 78 for a config error, 1 for anything that an operator can mend, a traceback only for bugs."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            _stop(str(error), CONFIG_ERROR)
        except StorageError as error:
            _stop(_explained(error), FAILED)
        except errands.Failed as error:
            _stop(str(error), FAILED)


def _explained(error: StorageError) -> str:
    """What storage says, under a heading in both languages: which is the park's may not be known yet."""
    found = next((key for kind, key in _HEADINGS.items() if isinstance(error, kind)), None)
    return f"{speak(Said(found))}\n  {error}" if found else str(error)


def _stop(message: str, code: int) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(code)


def _run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def _given(context: click.Context, _: click.Parameter, value: Path | None) -> Path:
    """The config named behind the verb, else the one named before it, else ./config.toml."""
    found: Path = value or context.obj or DEFAULT
    return found


def _config(command: Command) -> Command:
    return click.option(
        "--config",
        "config",
        type=click.Path(path_type=Path),
        callback=_given,
        help="配置文件，默认 ./config.toml / the configuration, ./config.toml if not named",
    )(command)


@click.group(cls=Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@_config
@click.version_option(__version__, prog_name="lianqi", help="版本号 / the version")
@click.pass_context
def main(context: click.Context, config: Path) -> None:
    """联企：园区企业诉求直办。One problem, one number, one lead, one date, chased until the firm says 满意."""
    context.obj = config


@main.command()
@_config
def run(config: Path) -> None:
    """启动正式服务 / run the park of config.toml."""
    _run(lambda: errands.run(config, click.echo))


@main.command()
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8080,
    show_default=True,
    help="端口，0 表示任选空闲的 / the port; 0: any free one",
)
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/demo"),
    show_default=True,
    help="演示数据的文件夹 / where the demo is kept",
)
@click.option("--fast", is_flag=True, help="快进启动 / start with the clock running ahead")
@_config
def demo(port: int, data: Path, fast: bool, config: Path) -> None:
    """演示园区，不用账号 / a seeded park in your browser, no account needed."""
    del config  # the demo is everything at its default
    _run(lambda: errands.demo(port, data, click.echo, fast=fast))


@main.command()
@_config
def check(config: Path) -> None:
    """检查配置、存储、渠道、日历和能联系到的人 / look at everything before going live."""
    _run(lambda: errands.check(config, click.echo))


@main.command("import")
@click.argument("source", type=click.Path(path_type=Path, exists=True))
@click.option("--dry-run", is_flag=True, help="只检查，不写入 / look only")
@click.option(
    "--marked", type=click.Path(path_type=Path, dir_okay=False), help="标出错误的副本 / a copy with bad cells marked"
)
@_config
def import_roster(config: Path, source: Path, dry_run: bool, marked: Path | None) -> None:
    """导入名册（xlsx 或 CSV 文件夹）/ import the roster."""
    _run(lambda: errands.import_roster(config, source, marked, click.echo, dry_run=dry_run))


@main.command()
@click.argument("what", type=click.Choice(["ledger", "roster", "policies"]))
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="写到哪个文件 / the file to write"
)
@_config
def export(config: Path, what: str, out: Path) -> None:
    """导出台账、名册或政策 / write a ledger, roster or policy workbook."""
    _run(lambda: errands.export(config, what, out, click.echo))


@main.command()
@click.argument("target")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="可打印的桌牌 / a desk card to print")
@_config
def invite(config: Path, target: str, out: Path | None) -> None:
    """给人、企业或群开邀请码 / a single-use code for a person, firm or group."""
    _run(lambda: errands.invite(config, target, out, click.echo))


@main.group()
def calendar() -> None:
    """行事历 / the park's calendar."""


@calendar.command("import")
@click.argument("source", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--dry-run", is_flag=True, help="只看哪些时限会变动，不写入 / show what would move, write nothing")
@_config
def import_year(config: Path, source: Path, dry_run: bool) -> None:
    """导入一年的放假安排，重算时限 / import a year's holidays and count every deadline again."""
    _run(lambda: calendars.import_year(config, source, click.echo, dry_run=dry_run))


@main.group("audit")
def audit_group() -> None:
    """审计链 / the chain of seals over history."""


@audit_group.command("verify")
@click.option(
    "--head",
    "heads",
    multiple=True,
    metavar="HASH|FILE",
    help="纪检保存的审计码，或存有码的文件，可以多个 / a code that the inspector kept, or a file of them",
)
@_config
def verify(config: Path, heads: tuple[str, ...]) -> None:
    """核对全部历史有没有被动过 / find out whether history was tampered with."""
    _run(lambda: audit.verify(config, heads, click.echo))


@main.command()
@_config
def migrate(config: Path) -> None:
    """升级数据库 / bring the database to this release."""
    _run(lambda: upkeep.bring_up_to_date(config, click.echo))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@_config
def backup(config: Path, file: Path) -> None:
    """备份到一个文件，不用停 / write everything into one file, while lianqi runs."""
    _run(lambda: upkeep.back_up(config, file, click.echo))


@main.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@_config
def restore(config: Path, file: Path) -> None:
    """从备份恢复到空的数据库 / fill an empty database from a backup."""
    _run(lambda: upkeep.bring_back(config, file, click.echo))


if __name__ == "__main__":
    main(prog_name="lianqi")
