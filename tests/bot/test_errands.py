"""The command line as an operator uses it: every verb in a folder with a config of its own."""

import socket
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from bot.demo.park import demo_roster
from reports.roster import write_roster

CONFIG = '[park]\nname = "试点园区"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "roster.xlsx").write_bytes(write_roster(demo_roster(), "zh"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lianqi(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def test_a_roster_is_imported_once_and_the_second_time_changes_nothing(folder: Path) -> None:
    first = lianqi("import", "roster.xlsx")
    assert (first.exit_code, "企业：新增30" in first.output) == (0, True)
    again = lianqi("import", "roster.xlsx")
    assert "企业：新增0，更新0，未变30" in again.output


def test_a_dry_run_writes_nothing(folder: Path) -> None:
    assert lianqi("import", "roster.xlsx", "--dry-run").exit_code == 0
    assert "企业：新增30" in lianqi("import", "roster.xlsx").output


def test_a_bad_roster_is_told_row_by_row_marked_and_not_imported(folder: Path) -> None:
    book = openpyxl.load_workbook(folder / "roster.xlsx")
    book.worksheets[0].cell(2, 3).value = "91110000000000000X"
    book.worksheets[1].cell(3, 2).value = "国王"
    book.save(folder / "bad.xlsx")
    told = lianqi("import", "bad.xlsx", "--marked", "marked.xlsx")
    assert told.exit_code == 1
    assert "第2行“统一社会信用代码”" in told.output
    assert "第3行“角色”" in told.output
    assert "一行也没有导入" in told.stderr
    marked = openpyxl.load_workbook(folder / "marked.xlsx")
    assert marked.worksheets[0].cell(2, 3).comment is not None
    assert "企业：新增30" in lianqi("import", "roster.xlsx").output


def test_check_fails_without_a_coordinator_and_passes_with_the_roster(folder: Path) -> None:
    empty = lianqi("check")
    assert (empty.exit_code, "没有协调员" in empty.output) == (1, True)
    assert empty.output.count("牵头部门") == 1
    lianqi("import", "roster.xlsx")
    full = lianqi("check")
    assert (full.exit_code, "检查完毕" in full.output) == (0, True)
    assert "没有落实挂钩干部" in full.output


def test_an_invite_prints_a_code_and_a_desk_card(folder: Path) -> None:
    lianqi("import", "roster.xlsx")
    made = lianqi("invite", "宏达机械", "--out", "card.html")
    assert (made.exit_code, "宏达机械有限公司 的邀请码" in made.output) == (0, True)
    assert "宏达机械有限公司" in (folder / "card.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["不存在", "", " "])
def test_an_invite_for_nobody_says_what_would_be_right(folder: Path, name: str) -> None:
    (folder / "csv").mkdir()
    (folder / "csv" / "企业.csv").write_text("名称\n宏达\n", encoding="utf-8")
    assert lianqi("import", "csv").exit_code == 0
    told = lianqi("invite", name)
    assert (told.exit_code, "名册里的姓名" in told.stderr) == (1, True)


def test_a_workbook_that_is_no_roster_is_told_in_a_line_that_names_no_empty_place(folder: Path) -> None:
    assert lianqi("export", "policies", "--out", "policies.xlsx").exit_code == 0
    told = lianqi("import", "policies.xlsx")
    assert (told.exit_code, told.output.splitlines()[0]) == (1, "✗ 没有找到名册的表。表名应为：企业、人员、部门、群。")


def test_what_names_people_is_written_for_its_owner_alone(folder: Path) -> None:
    assert lianqi("export", "ledger", "--out", "out.xlsx").exit_code == 0
    assert (folder / "out.xlsx").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "words",
    [("export", "ledger", "--out"), ("invite", "宏达机械", "--out"), ("import", "roster.xlsx", "--marked")],
    ids=["export", "invite", "import"],
)
def test_a_place_that_cannot_be_written_to_is_named(folder: Path, words: tuple[str, ...]) -> None:
    lianqi("import", "roster.xlsx")
    told = lianqi(*words, "nowhere/file")
    assert (told.exit_code, "nowhere/file 写不进去" in told.stderr) == (1, True)


@pytest.mark.parametrize("host, sentence", [("127.0.0.1", "已被占用"), ("203.0.113.7", "host 写本机的地址")])
def test_an_address_that_cannot_be_served_is_told_in_a_sentence(folder: Path, host: str, sentence: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = f'[web]\nhost = "{host}"\nport = {taken.getsockname()[1]}\n'
        (folder / "config.toml").write_text(CONFIG + web, encoding="utf-8")
        told = lianqi("run")
    assert (told.exit_code, sentence in told.stderr, "Traceback" in told.stderr) == (1, True, False)


@pytest.mark.parametrize("what, header", [("ledger", "序号"), ("roster", "名称"), ("policies", "名称")])
def test_each_workbook_is_written(folder: Path, what: str, header: str) -> None:
    lianqi("import", "roster.xlsx")
    assert lianqi("export", what, "--out", "out.xlsx").exit_code == 0
    sheet = openpyxl.load_workbook(folder / "out.xlsx").worksheets[0]
    assert header in [cell.value for row in sheet.iter_rows(max_row=5) for cell in row]


def test_migrate_leaves_a_database_at_this_release(folder: Path) -> None:
    assert lianqi("migrate").exit_code == 0
    assert (folder / "data" / "lianqi.db").exists()


def test_a_config_error_names_line_and_remedy_and_exits_with_78(folder: Path) -> None:
    (folder / "config.toml").write_text(CONFIG + "[web]\nprot = 1\n", encoding="utf-8")
    told = lianqi("check")
    assert told.exit_code == 78
    assert "config.toml:4 web.prot" in told.stderr
    assert "web.port" in told.stderr


@pytest.mark.parametrize("words", [("check", "--config", "other.toml"), ("--config", "other.toml", "check")])
def test_the_config_may_be_named_before_and_behind_the_verb(folder: Path, words: tuple[str, ...]) -> None:
    told = lianqi(*words)
    assert (told.exit_code, "other.toml" in told.stderr) == (78, True)


def test_a_database_that_cannot_be_used_is_told_in_both_languages(folder: Path) -> None:
    (folder / "file").touch()
    (folder / "config.toml").write_text(CONFIG + '[storage]\nurl = "sqlite:///file/house.db"\n', encoding="utf-8")
    told = lianqi("check")
    assert told.exit_code == 1
    assert "数据库用不了" in told.stderr
    assert "The database cannot be used" in told.stderr
    assert "Cannot use file/house.db" in told.stderr


def test_wrong_usage_exits_with_2(folder: Path) -> None:
    assert lianqi("export", "weather", "--out", "x").exit_code == 2
