"""The program's own lines: one an event, with what came along, quiet libraries, and nothing that no log may hold."""

import logging
import sys
import threading
from pathlib import Path

import pytest

from bot import logs
from bot.channel import Undeliverable
from bot.config import load_config, secrets_of
from tests.emulators.telegram import TelegramEmulator
from tests.stories.telegram_town import telegram_town
from tests.stories.wecom_town import wecom_town

TOKEN = "123456:AAHcanary-of-the-telegram-bot_0123456789"
PHONE, WRITTEN = "13812345678", "138-1234-5678"
IDENTITY = "53010219900307106X"


def test_a_line_has_time_level_event_and_what_came_along(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    logging.getLogger("lianqi").warning("message %s given up", 7, extra={"outbox": 7})
    line = capsys.readouterr().err
    assert line.startswith("timestamp=")
    assert 'level=warning event="message 7 given up" outbox=7' in line


@pytest.mark.parametrize("name", logs.QUIET)
def test_everyday_lines_of_libraries_are_not_shown(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(logging.DEBUG)
    logging.getLogger(f"{name}.inside").info("GET https://api.telegram.org/bot%s/getMe", TOKEN)
    assert capsys.readouterr().err == ""


def test_message_arguments_extras_and_tracebacks_are_rid_alike(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(secrets=["a-secret-without-a-shape"])
    log = logging.getLogger("lianqi")
    log.warning("GET https://api.telegram.org/bot%s/getMe", TOKEN, extra={"phone": WRITTEN, "by": {"tel": PHONE}})
    try:
        try:
            raise ValueError(f"bad cell {IDENTITY}\n{PHONE}")
        except ValueError:
            raise RuntimeError("corpsecret=a-secret-without-a-shape&x=1") from None
    except RuntimeError:
        log.exception("could not read row of %s", WRITTEN, stack_info=True)
    said = capsys.readouterr().err
    assert "RuntimeError" in said
    assert [each for each in (TOKEN, PHONE, WRITTEN, IDENTITY, "a-secret-without-a-shape") if each in said] == []
    assert "[token]" in said


def test_a_number_at_the_beginning_of_a_line_of_a_traceback_is_found(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    try:
        raise ValueError(f"row:\n{PHONE}\n{IDENTITY}")
    except ValueError:
        logging.getLogger("lianqi").exception("stumbled")
    said = capsys.readouterr().err
    assert PHONE not in said
    assert IDENTITY not in said


def test_what_ends_the_program_or_a_thread_is_a_line_like_any_other(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()

    def fail() -> None:
        raise RuntimeError(f"/bot{TOKEN}/getMe")

    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    try:
        fail()
    except RuntimeError as error:
        sys.excepthook(RuntimeError, error, error.__traceback__)
    said = capsys.readouterr().err
    assert said.count("ended by RuntimeError") == 2
    assert TOKEN not in said


CONFIG = """[park]
name = "试点园区"
[storage]
url = "postgresql://lianqi:canary-password@db/lianqi"
[channels.telegram]
token = "123456:AAHcanary-of-the-telegram-bot_0123456789"
webhook_secret = "canary-webhook-secret"
[channels.wecom_aibot]
bot_id = "aib-1"
secret = "canary-aibot-secret"
[channels.wecom_app]
corp_id = "ww1"
agent_id = 7
secret = "canary-app-secret"
token = "canaryapptoken"
aes_key = "canaryaeskey0123456789012345678901234567890"
[channels.wecom_group]
webhooks = { "群" = "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa" }
"""


def test_every_secret_of_the_config_is_known_to_the_log(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text(CONFIG, encoding="utf-8")
    path.chmod(0o600)
    found = secrets_of(load_config(path, {}))
    wanted = {"canary-password", TOKEN, "canary-webhook-secret", "canary-aibot-secret", "canary-app-secret"}
    wanted |= {"canaryapptoken", "canaryaeskey0123456789012345678901234567890", "693a91f6-7xxx-4bc4-97a0-0ec2sifa5aaa"}
    assert wanted <= found
    assert not any(secret in repr(load_config(path, {})) for secret in wanted)


async def test_a_whole_story_on_telegram_with_every_line_shown_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up(logging.DEBUG, quiet=False)
    async with telegram_town(emulator=TelegramEmulator(token=TOKEN)) as town:
        await town.says("张建国", f"诉求 车间停电，电话{WRITTEN}，身份证{IDENTITY}")
        town.emulator.fault("sendMessage", status=403, times=1)
        await town.presses("王敏", "接单")
        town.emulator.fault("sendMessage", status=502, times=1)
        await town.says("张建国", f"补充 1 手机{PHONE}")
        logging.getLogger("lianqi").error("bug", exc_info=Undeliverable(f"https://x/bot{TOKEN}/send of {PHONE}"))
    said = capsys.readouterr().err
    assert "given up: Forbidden" in said
    assert [each for each in (TOKEN, TOKEN.partition(":")[2], PHONE, WRITTEN, IDENTITY) if each in said] == []


async def test_a_whole_story_on_wecom_with_every_line_shown_is_clean(capsys: pytest.CaptureFixture[str]) -> None:
    secret = "a-secret-of-the-bot"
    logs.set_up(logging.DEBUG, [secret], quiet=False)
    async with wecom_town() as town:
        assert town.wecom._account.secret == secret
        await town.says("张建国", f"诉求 车间停电，电话{WRITTEN}")
        await town.presses("王敏", "接单")
    said = capsys.readouterr().err
    assert "wecom is connected" in said
    assert [each for each in (secret, PHONE, WRITTEN) if each in said] == []
