"""`lianqi calendar import`: a year's table as an administrator brings it in, and what is refused."""

import asyncio
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot import calendars as errand
from bot import errands
from bot.__main__ import main
from bot.calendars import aligned
from domain.people import Role
from domain.rules import Kind
from storage.database import Tx
from storage.open import open_database
from storage.values import to_ms
from storage.years import SHIPPED
from tests import making
from tests.making import Maker, civil, make_rules

NOW = civil("2026-11-12 10:00")
NOTICE = """
# 国务院办公厅关于2027年部分节假日安排的通知（测试用）
year = 2027
published = true
holidays = [
    { name = "元旦", from = 2027-01-01, to = 2027-01-03 },
    { name = "春节", from = 2027-02-05, to = 2027-02-11 },
    { name = "清明节", from = 2027-04-05, to = 2027-04-05 },
    { name = "劳动节", from = 2027-05-01, to = 2027-05-05 },
    { name = "端午节", from = 2027-06-09, to = 2027-06-09 },
    { name = "中秋节", from = 2027-09-15, to = 2027-09-15 },
    { name = "国庆节", from = 2027-10-01, to = 2027-10-07 },
]
makeup_workdays = [2027-02-13, 2027-02-14]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A park in November, before next year's notice."""
    (tmp_path / "config.toml").write_text('[park]\nname = "试点园区"\n', encoding="utf-8")
    (tmp_path / "2027.toml").write_text(NOTICE, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    for module in (errand, errands):
        monkeypatch.setattr(module, "machine_time", _november)
    return tmp_path


def _november() -> datetime:
    return NOW


def lianqi(*words: str) -> Result:
    return CliRunner().invoke(main, words)


async def file_appeals(folder: Path) -> None:
    """Two matters of one firm: one of January, one of February of the next year."""
    database = await open_database(f"sqlite:///{folder}/data/lianqi.db")

    async def unit(tx: Tx) -> None:
        await making.make_person(tx, "周芳", Role.COORDINATOR)
        boss = await making.make_person(tx, "张建国", Role.CONTACT)
        firm = await making.make_enterprise(tx, "宏达机械有限公司", boss)
        maker = Maker(tx, make_rules(terms={"appeal": "60wd", "suggestion": "10wd"}))
        await maker.appeal(firm, NOW, "车间电压低", contact_id=boss)
        await maker.appeal(firm, NOW, "修路灯", contact_id=boss, kind=Kind.SUGGESTION)

    await database.transaction(unit)
    await database.close()


async def dates(folder: Path) -> list[int]:
    database = await open_database(f"sqlite:///{folder}/data/lianqi.db")
    rows = await database.reading(lambda tx: tx.all("SELECT due_at FROM appeals ORDER BY id"))
    await database.close()
    return [row["due_at"] for row in rows]


async def told(folder: Path) -> list[str]:
    database = await open_database(f"sqlite:///{folder}/data/lianqi.db")
    rows = await database.reading(lambda tx: tx.all("SELECT text_key FROM outbox ORDER BY id"))
    await database.close()
    return sorted(row["text_key"] for row in rows if "recount" in row["text_key"])


PROVISIONAL, PUBLISHED = civil("2027-02-09 17:30"), civil("2027-02-12 17:30")


@pytest.fixture
def busy(folder: Path) -> Path:
    """The same with two open matters."""
    assert lianqi("migrate").exit_code == 0
    asyncio.run(file_appeals(folder))
    assert asyncio.run(dates(folder))[0] == to_ms(PROVISIONAL)
    return folder


def test_a_published_year_moves_what_lies_in_it_and_shows_days_and_deadlines(busy: Path) -> None:
    shown = lianqi("calendar", "import", "2027.toml")
    assert shown.exit_code == 0, shown.output
    lines = shown.output.splitlines()
    assert lines[0] == "2027年放假安排已公布，12天变动："
    assert lines[1].startswith("改为休息：2月9日（周二）至2月11日（周四）、5月3日（周一）至5月5日（周三）、10月4日")
    assert lines[2] == "改为上班：2月13日（周六）至2月14日（周日）"
    assert lines[3] == "变动的时限：1个"
    assert lines[4].split() == ["编号", "企业", "事项", "时限", "原定", "改为"]
    assert lines[5] == "#1    宏达机械  车间电压低  办结  2月9日（周二）17:30  2月12日（周五）17:30"
    assert lines[6:] == ["已导入，企业、责任人和协调员会收到说明。"]
    assert asyncio.run(dates(busy)) == [to_ms(PUBLISHED), to_ms(civil("2026-11-26 17:30"))]
    assert asyncio.run(told(busy)) == ["firm.recounted", "recount.office"]


def test_a_dry_run_shows_the_same_and_writes_nothing(busy: Path) -> None:
    dry = lianqi("calendar", "import", "2027.toml", "--dry-run")
    assert (dry.exit_code, dry.output.splitlines()[-1]) == (0, "检查通过，没有写入（--dry-run）。")
    assert asyncio.run(dates(busy))[0] == to_ms(PROVISIONAL)
    assert asyncio.run(told(busy)) == []
    wet = lianqi("calendar", "import", "2027.toml")
    assert wet.output.splitlines()[:-1] == dry.output.splitlines()[:-1]


def test_a_table_that_is_in_use_already_changes_nothing(busy: Path) -> None:
    lianqi("calendar", "import", "2027.toml")
    again = lianqi("calendar", "import", "2027.toml")
    assert (again.exit_code, again.output) == (0, "2027年的安排与现在用的一样，没有变动。\n")
    assert asyncio.run(told(busy)) == ["firm.recounted", "recount.office"]


def test_a_published_year_may_be_corrected_and_corrected_back(busy: Path) -> None:
    lianqi("calendar", "import", "2027.toml")
    (busy / "new.toml").write_text(NOTICE.replace("2027-02-11", "2027-02-12"), encoding="utf-8")
    corrected = lianqi("calendar", "import", "new.toml")
    assert "2027年放假安排有调整，1天变动" in corrected.output
    assert asyncio.run(dates(busy))[0] == to_ms(civil("2027-02-13 17:30"))  # the working Saturday
    lianqi("calendar", "import", "2027.toml")
    assert asyncio.run(dates(busy))[0] == to_ms(PUBLISHED)


def test_the_imported_year_counts_for_what_check_says(folder: Path) -> None:
    assert "只剩49天" in lianqi("check").output
    lianqi("calendar", "import", "2027.toml")
    assert "节假日安排只到" not in lianqi("check").output


def test_a_year_of_this_program_may_be_corrected_too(folder: Path) -> None:
    shipped = (SHIPPED / "2026.toml").read_text(encoding="utf-8")
    (folder / "2026.toml").write_text(shipped.replace("2026-10-10,", "2026-10-10, 2026-11-14,"), encoding="utf-8")
    told = lianqi("calendar", "import", "2026.toml")
    assert "2026年放假安排有调整，1天变动：\n改为上班：11月14日（周六）" in told.output


@pytest.mark.parametrize(
    "right, wrong, told",
    [
        ("year = 2027", "year = 2025", "bad.toml：year：2025年已经过完"),
        ("year = 2027", "year = 2072", "bad.toml：year：2072年太远"),
        ("2027-01-03 }", "2026-12-30 }", "bad.toml：holidays[0].to：2026年12月30日应在2027年1月1日当天或之后"),
        ("2027-02-13,", "2027-02-12, 2027-02-13,", "bad.toml：整个文件：2027年2月12日本来就上班"),
        ("2027-02-13,", "2027-02-06,", "bad.toml：整个文件：2027年2月6日既写了放假又写了调休上班"),
        ("published = true", "publised = true", "bad.toml：publised：没有这个键；可以写的是 holidays,"),
        ("holidays = [", "holidays = [[", "bad.toml：整个文件：格式不对"),
    ],
)
def test_nonsense_is_refused_with_file_key_and_remedy(folder: Path, right: str, wrong: str, told: str) -> None:
    bad = NOTICE.replace(right, wrong, 1)
    if wrong.startswith("year"):
        bad = f"{wrong}\npublished = true\nholidays = []\nmakeup_workdays = []\n"
    (folder / "bad.toml").write_text(bad, encoding="utf-8")
    refused = lianqi("calendar", "import", "bad.toml")
    assert (refused.exit_code, told in refused.stderr) == (1, True), refused.stderr


def test_a_published_year_without_holidays_is_refused(folder: Path) -> None:
    text = "year = 2027\npublished = true\nholidays = []\nmakeup_workdays = []\n"
    (folder / "bad.toml").write_text(text, encoding="utf-8")
    refused = lianqi("calendar", "import", "bad.toml")
    assert (refused.exit_code, "bad.toml：holidays：已公布的年份" in refused.stderr) == (1, True)


def test_a_draft_may_come_before_the_notice_but_not_replace_it(folder: Path) -> None:
    (folder / "draft.toml").write_text(NOTICE.replace("published = true", "published = false"), encoding="utf-8")
    drafted = lianqi("calendar", "import", "draft.toml")
    assert (drafted.exit_code, "2027年放假安排草稿已录入" in drafted.output) == (0, True)
    assert "只剩49天" in lianqi("check").output
    lianqi("calendar", "import", "2027.toml")
    refused = lianqi("calendar", "import", "draft.toml")
    assert (refused.exit_code, "draft.toml：published：2027年的安排已经公布" in refused.stderr) == (1, True)


def test_a_statutory_day_that_the_file_forgets_is_pointed_out(folder: Path) -> None:
    lines = [line for line in NOTICE.splitlines() if "清明节" not in line]
    (folder / "2027.toml").write_text("\n".join(lines), encoding="utf-8")
    assert "4月5日（周一）是法定节假日，文件里没有，请核对" in lianqi("calendar", "import", "2027.toml").output


def test_columns_stand_under_each_other_where_chinese_is_two_wide() -> None:
    assert list(aligned([["编号", "x"], ["#1", "yy"]])) == ["编号  x", "#1    yy"]
