"""`lianqi audit verify` and the key, as an operator meets them."""

import asyncio
import os
import secrets
import sqlite3
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.__main__ import main
from bot.keys import KeyTrouble, make_key, read_key, settle_key
from storage import seals
from storage.database import Database, Tx
from storage.open import open_database
from tests.storage.tampering import UNGUARD, lay_history, seal_all

CONFIG = '[park]\nname = "试点园区"\n[security]\nkey_file = "data/own.key"\n'
URL = "sqlite:///data/lianqi.db"
KEY_FILE = Path("data/own.key")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def house(folder: Path) -> Path:
    """A park with a sealed history."""

    async def lay(database: Database) -> None:
        key = await settle_key(database, KEY_FILE)
        await database.transaction(lay_history)
        await database.transaction(lambda tx: seal_all(tx, key))

    within(lay)
    return folder


def within(work: Callable[[Database], Awaitable[Any]]) -> Any:
    async def run() -> Any:
        database = await open_database(URL)
        try:
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def lianqi(*words: str) -> Result:
    return CliRunner().invoke(main, words)


def tamper(*statements: str) -> None:
    """What somebody does who has the file."""
    with sqlite3.connect("data/lianqi.db") as connection:
        for statement in (*UNGUARD["sqlite"][1:], *statements):
            connection.execute(statement)
    connection.close()


def last_seal() -> seals.End:
    end: seals.End = within(lambda database: database.reading(seals.end))
    return end


# Verifying ------------------------------------------------------------------------------------------------------------
def test_a_whole_history_is_told_with_its_head_and_what_is_not_sealed_yet(house: Path) -> None:
    end = last_seal()
    told = lianqi("audit", "verify", "--head", end.code)
    assert told.exit_code == 0, told.output
    assert f"链尾：第{end.n}枚，{end.code}" in told.output
    assert end.hash in told.output
    assert "待封存0步，已抹去原话0处，核对保存的码1个" in told.output
    assert "历史完整" in told.output


def test_every_fault_is_a_line_with_event_and_appeal_and_the_exit_code_is_1(house: Path) -> None:
    tamper("UPDATE events SET facts = '{}' WHERE id = 2", "DELETE FROM events WHERE id = 4")
    told = lianqi("audit", "verify")
    assert told.exit_code == 1
    assert "✗ 事件2被改过（第2枚），诉求#1" in told.output
    assert "✗ 事件4不见了（第4枚）" in told.output
    assert "历史被动过" in told.stderr


def test_the_codes_that_the_inspector_kept_in_a_file_betray_a_tail_that_was_cut_off(house: Path) -> None:
    end = last_seal()
    text = f"3月10日审计码：{end.code}\n还有别的话\n3月11日审计码：{end.code}\n"
    Path("kept.txt").write_text(text, encoding="utf-8")
    assert lianqi("audit", "verify", "--head", "kept.txt").exit_code == 0
    tamper(f"DELETE FROM seals WHERE n = {end.n}", f"DELETE FROM events WHERE id = {end.event_id}")
    told = lianqi("audit", "verify", "--head", "kept.txt")
    assert told.exit_code == 1
    assert f"链尾被截：现在只到第{end.n - 1}枚，保存的码是第{end.n}枚" in told.output


def test_a_code_may_be_typed_in_capitals_and_full_width(house: Path) -> None:
    typed = last_seal().code.upper().replace("-", "－")
    assert lianqi("audit", "verify", "--head", typed).exit_code == 0


@pytest.mark.parametrize("given", ["", "abc", "1284-9f3a-02bc", "12-9f3a-02bc-77e1-d0c4-5a9e-113g", "config.toml"])
def test_what_is_no_code_is_refused_with_an_example(house: Path, given: str) -> None:
    told = lianqi("audit", "verify", "--head", given)
    assert (told.exit_code, "1284-9f3a" in told.stderr) == (1, True)


def test_before_the_first_run_there_is_no_chain(folder: Path) -> None:
    told = lianqi("audit", "verify")
    assert (told.exit_code, "还没有审计链" in told.stderr) == (1, True)
    assert not KEY_FILE.exists()


# The key --------------------------------------------------------------------------------------------------------------
def test_the_first_run_makes_a_key_for_its_owner_alone_and_the_next_takes_it(house: Path) -> None:
    assert KEY_FILE.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in Path("data").glob("own*")] == ["own.key"]
    first = read_key(KEY_FILE)
    assert within(lambda database: settle_key(database, KEY_FILE)) == first


@pytest.mark.skipif(os.name != "posix", reason="rights of this kind are POSIX's")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666])
def test_a_key_that_others_may_touch_is_refused_with_file_and_remedy(house: Path, mode: int) -> None:
    KEY_FILE.chmod(mode)
    told = lianqi("audit", "verify")
    assert told.exit_code == 78
    assert "config.toml:4 security.key_file" in told.stderr
    assert "chmod 600 data/own.key" in told.stderr


def spoil_missing() -> None:
    KEY_FILE.unlink()


def spoil_other() -> None:
    KEY_FILE.unlink()
    make_key(KEY_FILE)


def spoil_content() -> None:
    KEY_FILE.write_text("not a key\n", encoding="ascii")


@pytest.mark.parametrize(
    "spoil, why",
    [
        (spoil_missing, "不见了。请把另存的那一份放回原处"),
        (spoil_other, "不是这个库的审计密钥"),
        (spoil_content, "读不出审计密钥"),
    ],
)
def test_a_house_does_not_go_on_with_another_key_or_without_one(
    house: Path, spoil: Callable[[], None], why: str
) -> None:
    spoil()
    before = KEY_FILE.read_bytes() if KEY_FILE.exists() else None
    for words in (("run",), ("audit", "verify")):
        told = lianqi(*words)
        assert (told.exit_code, why in told.stderr) == (78, True), told.output
    assert why in lianqi("check").output
    assert (KEY_FILE.read_bytes() if KEY_FILE.exists() else None) == before


def test_a_key_whose_folder_cannot_be_made_is_told(folder: Path) -> None:
    Path("data").write_text("a file where a folder should be", encoding="utf-8")
    with pytest.raises(KeyTrouble) as told:
        make_key(KEY_FILE)
    assert told.value.said.key == "config.key_unwritable"


def test_of_two_processes_that_start_at_the_same_time_both_have_the_same_key(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = secrets.token_hex(32)
    real = os.link

    def overtaken(own: Path, path: Path) -> None:
        """Somebody else is faster by a moment."""
        path.write_text(made, encoding="ascii")
        path.chmod(0o600)
        real(own, path)

    monkeypatch.setattr(os, "link", overtaken)
    assert within(lambda database: settle_key(database, KEY_FILE)).hex() == made


def test_the_key_of_a_house_that_was_begun_elsewhere_is_not_made_anew(folder: Path) -> None:
    async def begin(tx: Tx) -> bool:
        return await seals.begin(tx, bytes(32))

    within(lambda database: database.transaction(begin))
    with pytest.raises(KeyTrouble):
        within(lambda database: settle_key(database, KEY_FILE))
    assert not KEY_FILE.exists()


def test_check_says_that_nobody_keeps_the_code_where_there_is_no_inspector(folder: Path) -> None:
    assert "没有纪检，两次不满意的诉求没有人认定，每天的审计码也没有人保存" in lianqi("check").output
