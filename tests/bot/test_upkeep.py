"""Backup, restore and migrate as an operator types them: plain answers, exit codes, nothing overwritten."""

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import upkeep
from bot.__main__ import main
from bot.demo.park import demo_roster
from reports.roster import write_roster
from storage.migrations import SCHEMA, migrate, pending
from tests.storage import furnishing

CONFIG = '[park]\nname = "试点园区"\n'
HOUSE = Path("data/lianqi.db")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "roster.xlsx").write_bytes(write_roster(demo_roster(), "zh"))
    monkeypatch.chdir(tmp_path)
    lianqi("import", "roster.xlsx")
    return tmp_path


def lianqi(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def put_away() -> None:
    """The house is gone."""
    shutil.move("data", "data.old")


def test_a_backup_says_what_is_in_it_and_what_is_not(folder: Path) -> None:
    done = lianqi("backup", "a.zip")
    assert done.exit_code == 0
    assert "已备份到 a.zip：0件诉求，共" in done.output
    assert f"结构 {furnishing.newest():04}" in done.output
    assert "lianqi.key 和 config.toml 不在备份里" in done.output


def test_what_was_backed_up_comes_back(folder: Path) -> None:
    lianqi("backup", "a.zip")
    put_away()
    done = lianqi("restore", "a.zip")
    assert (done.exit_code, "已恢复“试点园区”" in done.output) == (0, True)
    assert "企业：新增0，更新0，未变30" in lianqi("import", "roster.xlsx").output


def test_neither_a_file_nor_a_house_is_overwritten(folder: Path) -> None:
    lianqi("backup", "a.zip")
    again = lianqi("backup", "a.zip")
    assert (again.exit_code, "a.zip 已经存在" in again.stderr) == (1, True)
    refused = lianqi("restore", "a.zip")
    assert (refused.exit_code, "已经有数据，不会覆盖" in refused.stderr) == (1, True)


def test_a_damaged_file_writes_nothing(folder: Path) -> None:
    lianqi("backup", "a.zip")
    body = bytearray((folder / "a.zip").read_bytes())
    body[len(body) // 2] ^= 1
    (folder / "a.zip").write_bytes(body)
    put_away()
    refused = lianqi("restore", "a.zip")
    assert (refused.exit_code, "不是完整的联企备份" in refused.stderr) == (1, True)
    empty = furnishing.table_rows(folder / HOUSE)
    assert empty == {}


def test_without_a_house_nothing_is_backed_up_and_none_is_made(folder: Path) -> None:
    put_away()
    refused = lianqi("backup", "a.zip")
    assert (refused.exit_code, "没有可备份的内容" in refused.stderr) == (1, True)
    assert not (folder / "data").exists()


def test_where_it_cannot_write_it_says_so(folder: Path) -> None:
    refused = lianqi("backup", "nowhere/a.zip")
    assert (refused.exit_code, "nowhere/a.zip 写不进去" in refused.stderr) == (1, True)


def test_wrong_words_and_wrong_configs_have_their_exit_codes(folder: Path) -> None:
    assert lianqi("restore", "nowhere.zip").exit_code == 2
    assert lianqi("backup").exit_code == 2
    (folder / "config.toml").write_text("[park]\nnam = 1\n", encoding="utf-8")
    for words in (["backup", "a.zip"], ["restore", "roster.xlsx"], ["migrate"]):
        assert lianqi(*words).exit_code == 78


def test_migrate_says_from_where_to_where_and_is_harmless_again(folder: Path) -> None:
    put_away()
    (folder / "data").mkdir()
    furnishing.load(1, folder / HOUSE)
    newest = f"{furnishing.newest():04}"
    done = lianqi("migrate")
    assert (done.exit_code, f"已从 0001 升级到 {newest}" in done.output) == (0, True)
    assert "已做 0002_platforms" in done.output
    assert "0001_house" not in done.output
    again = lianqi("migrate")
    assert (again.exit_code, f"已是本版本的 {newest}，没有要做的事" in again.output) == (0, True)


def test_an_old_release_leaves_a_newer_house_alone_and_names_what_to_install(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    newer = folder / "schema"
    shutil.copytree(SCHEMA, newer)
    (newer / f"{furnishing.newest() + 1:04}_more.sql").write_text("CREATE TABLE more (id BIGINT PRIMARY KEY);")
    with monkeypatch.context() as later:
        later.setattr(upkeep, "__version__", "7.0.0")
        later.setattr(migrate, "__defaults__", (newer,))
        later.setattr(pending, "__defaults__", (newer,))
        assert lianqi("migrate").exit_code == 0
    for words in (["migrate"], ["run"], ["check"], ["backup", "a.zip"]):
        refused = lianqi(*words)
        assert (refused.exit_code, "install lianqi 7.0.0" in refused.stderr) == (1, True)


def test_check_says_when_the_last_backup_was(folder: Path) -> None:
    assert "备份" not in lianqi("check").output
    lianqi("backup", "a.zip")
    assert "上次备份：" in lianqi("check").output


def test_on_a_terminal_a_bar_shows_how_far_it_is(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.upkeep.is_terminal", lambda: True)
    assert "备份" in lianqi("backup", "a.zip").stderr
