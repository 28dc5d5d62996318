"""Every secret that a config may hold, planted, and all that may go wrong gone through: none is ever shown."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.config import load_config, secrets_of
from bot.config.keys import keys, secrets
from domain.people import Role
from storage import accounts
from storage.database import Tx
from storage.open import open_database
from tests import making
from tests.emulators.telegram import TelegramEmulator
from tests.emulators.wecom.aibot import AibotEmulator
from tests.emulators.wecom.api import WecomApiEmulator
from tests.making import civil
from tests.needs import count
from tests.summary import Tally

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"http://127\.0\.0\.1:[0-9]{2,}")
MARK = "CanaryOfASecret"
OWNER, USERID = 5001, "ZhangJG"
PASSWORD = f"{MARK}Password"
# What has a shape of its own; anything else is the mark with the way to it, so that a new secret is tried by itself.
SHAPES: Mapping[str, str] = {
    "channels.telegram.token": f"123456:{MARK}TokenOfTheTelegramBot",
    "channels.wecom_app.aes_key": f"{MARK}AesKey".ljust(42, "x") + "A",
    "storage.url": f"postgresql://lianqi:{PASSWORD}@127.0.0.1:1/lianqi",
}
WAYS = [".".join(way) for way in secrets()]
SECRETS: Mapping[str, str] = {
    way: SHAPES.get(way, MARK + "".join(part.title() for part in way.replace("_", ".").split("."))) for way in WAYS
}
NEEDED: Mapping[str, Mapping[str, object]] = {
    "channels.telegram": {},
    "channels.wecom_aibot": {"bot_id": "aib-TEST", "name": "小联"},
    "channels.wecom_app": {"corp_id": "ww1234567890abcdef", "agent_id": 1000002},
    "channels.wecom_group": {},
    "storage": {},
}


def toml(value: object) -> str:
    return str(value) if isinstance(value, int) else f'"{value}"'


def config_text(folder: Path, addresses: Mapping[str, str], *, storage: str = "") -> str:
    """A config with every secret of the model in it; `storage` takes the place of the address with a password."""
    lines = ['[park]\nname = "试点园区"\n[web]\nport = 0\n', f'[security]\nkey_file = "{folder}/lianqi.key"\n']
    for section, needed in NEEDED.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {toml(value)}" for name, value in needed.items()]
        if section in addresses:
            lines.append(addresses[section])
        for way in WAYS:
            table, _, name = way.rpartition(".")
            if table == section:
                value = storage if way == "storage.url" and storage else SECRETS[way]
                lines.append(f"{name} = " + (f'{{ "群" = "{value}" }}' if name == "webhooks" else toml(value)))
    return "\n".join(lines) + "\n"


@dataclass
class House:
    """The program's folder with its config, the platforms that it speaks to, and everything it has ever said."""

    folder: Path
    telegram: TelegramEmulator
    aibot: AibotEmulator
    app: WecomApiEmulator
    said: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.folder / "config.toml"

    def command(self, *verb: str) -> list[str]:
        return [sys.executable, "-m", "tests.security.loud", "--config", str(self.config), *verb]

    async def run(self, *verb: str, **environment: str) -> int:
        """A verb of the command line, to its end, while the platforms go on; its exit code."""
        return await asyncio.to_thread(self._run, verb, {**os.environ, "PYTHONPATH": str(ROOT), **environment})

    def _run(self, verb: Sequence[str], known: Mapping[str, str]) -> int:
        done = subprocess.run(
            self.command(*verb), cwd=self.folder, env=known, capture_output=True, text=True, timeout=50, check=False
        )
        self.said += [done.stdout, done.stderr]
        return done.returncode

    @asynccontextmanager
    async def running(self, *verb: str) -> AsyncIterator[str]:
        """The program at work; its address."""
        out = self.folder / f"{verb[0]}.out"
        with out.open("w", encoding="utf-8") as written:
            process = await asyncio.create_subprocess_exec(
                *self.command(*verb),
                cwd=self.folder,
                env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
                stdout=written,
                stderr=written,
            )
            try:
                yield await _address(out)
            finally:
                process.terminate()
                await process.wait()
        self.said.append(out.read_text(encoding="utf-8"))

    def hits(self, *more: str) -> list[str]:
        """The secrets that were shown, wherever it was."""
        hidden = {*secrets_of(load_config(self.config, {})), *SECRETS.values(), PASSWORD, MARK, *more}
        said = [text.casefold() for text in self.said]
        return [secret for secret in hidden for text in said if secret and secret.casefold() in text]


async def _address(out: Path) -> str:
    async with asyncio.timeout(40):
        while not (found := ADDRESS.search(_written(out))):  # noqa: ASYNC110 - another process writes there
            await asyncio.sleep(0.05)
        return found[0]


def _written(out: Path) -> str:
    return out.read_text(encoding="utf-8")


async def people_it(tx: Tx) -> None:
    """One firm with a contact whom every platform knows."""
    contact = await making.make_person(tx, "张建国", Role.CONTACT, chat=False)
    cadre = await making.make_person(tx, "王敏", Role.LIAISON, chat=False)
    await making.make_enterprise(tx, "宏达机械有限公司", contact, liaison_id=cadre)
    at = civil("2026-03-11 09:00")
    for channel, userid in (("telegram", str(OWNER)), ("wecom_aibot", USERID), ("wecom_app", "zhang")):
        await accounts.bind_externally(tx, channel, userid, contact, by=None, at=at)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    telegram = TelegramEmulator(token=SECRETS["channels.telegram.token"])
    aibot = AibotEmulator(secret=SECRETS["channels.wecom_aibot.secret"])
    own: dict[str, Any] = {name: SECRETS[f"channels.wecom_app.{name}"] for name in ("secret", "token", "aes_key")}
    async with telegram, aibot, WecomApiEmulator(**own) as app:
        app.robot(SECRETS["channels.wecom_group.webhooks"])
        app.member("zhang", "张建国")
        aibot.user(USERID, "张建国", wrote=True)
        addresses = {
            "channels.telegram": f'api_base = "{telegram.api_base}"',
            "channels.wecom_aibot": f'url = "{aibot.url}"',
            "channels.wecom_app": f'api_base = "{app.api_base}"',
            "channels.wecom_group": f'api_base = "{app.api_base}"',
        }
        opened = House(tmp_path, telegram, aibot, app)
        url = f"sqlite:///{tmp_path}/house.db"
        opened.config.write_text(config_text(tmp_path, addresses, storage=url), encoding="utf-8")
        opened.config.chmod(0o600)
        database = await open_database(url)
        await database.transaction(people_it)
        await database.close()
        yield opened


async def talk(house: House, address: str) -> None:
    """Something is said on every channel, and everything goes wrong that a platform can let go wrong."""
    token = SECRETS["channels.telegram.token"]
    owner = house.telegram.user(OWNER, "张建国", started=True)
    house.telegram.fault("sendMessage", status=502)
    house.telegram.fault("sendMessage", answer="broken")
    house.telegram.fault("getUpdates", status=400, description=f"Bad Request: bot{token} at /bot{token}/getUpdates")
    house.telegram.fault("getUpdates", answer="none")
    await house.telegram.says(owner, "诉求 停电")
    await house.telegram.until_sent(1, timeout=40)
    await house.aibot.until_connected(40)
    house.aibot.fault("aibot_respond_msg", answer="close")
    await house.aibot.says(USERID, "诉求 断水", images=[b"\x89PNG\r\n\x1a\n" + bytes(40)])
    await house.aibot.until_visible(1, timeout=40)
    house.app.caller.url = f"{address}/channels/wecom_app"
    for path, how in (("gettoken", {"code": 40001}), ("user/get", {"status": 502}), ("message/send", {"code": -1})):
        house.app.fault(path, **how)
    assert await house.app.says("zhang", "诉求 停气") == 200
    forged = house.app.caller.make("<xml/>", token="guess")
    assert await house.app.caller.deliver(forged, tries=1) == 403


async def look(house: House, address: str) -> None:
    """Every page that says how the program is doing; what stands there counts as said."""
    async with httpx.AsyncClient(base_url=address, timeout=20) as browser:
        for path in ("/metrics", "/readyz", "/livez", "/", "/join?code=AAAA-BBBB", "/nowhere", "/api/chat/state"):
            house.said.append((await browser.get(path)).text)
        house.said.append((await browser.post("/join", data={"code": SECRETS["channels.wecom_app.token"]})).text)


@pytest.mark.timeout(180)
async def test_a_program_in_all_kinds_of_trouble_shows_no_secret(house: House, tally: Tally) -> None:
    async with house.running("run") as address:
        await talk(house, address)
        await look(house, address)
    (log,) = [text for text in house.said if "timestamp=" in text]
    assert log.count("level=debug") >= 5
    assert all(said in log for said in ("telegram does not work", "wecom is connected"))
    assert "[token]" in log or "[secret]" in log
    assert house.hits(house.app.core.access_token) == []
    assert await house.run("check") in (0, 1)
    assert await house.run("run", LIANQI_TEST_CRASH="1") == 1
    assert "ended by RuntimeError" in house.said[-1] or "RuntimeError" in house.said[-1]
    assert "ValueError" in house.said[-1]
    assert house.hits(house.app.core.access_token) == []
    tally("S17", len(SECRETS) * len(house.said))


@pytest.mark.full
@pytest.mark.timeout(300)
async def test_a_wrong_token_a_shut_database_and_the_demo_show_no_secret(house: House, tally: Tally) -> None:
    house.telegram.core.token = "123456:another-token-of-another-bot"
    house.app.core.secret = "another-secret"
    assert await house.run("check") == 1
    good = house.config.read_text(encoding="utf-8")
    broken = good.replace(f"sqlite:///{house.folder}/house.db", SECRETS["storage.url"])
    house.config.write_text(broken, encoding="utf-8")
    for verb in ("run", "check", "migrate"):
        assert await house.run(verb) == 1
    house.config.write_text(f"{good}\n[web]\nport = 1\n", encoding="utf-8")
    assert await house.run("run") == 78
    house.config.write_text(good, encoding="utf-8")
    assert await house.run("backup", str(house.folder / "house.backup")) == 0
    house.said.append((house.folder / "house.backup").read_bytes().decode("latin-1"))
    async with house.running("demo", "--port", "0", "--data", str(house.folder / "demo"), "--fast") as address:
        await look(house, address)
    assert house.hits() == []
    tally("S17", len(SECRETS) * len(house.said))


# The config itself ----------------------------------------------------------------------------------------------------
@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(config_text(tmp_path, {}), encoding="utf-8")
    path.chmod(0o600)
    return path


def test_every_secret_of_the_model_is_planted_and_known_to_the_log(config: Path, tally: Tally) -> None:
    found = secrets_of(load_config(config, {}))
    assert {*SECRETS.values(), PASSWORD} <= found
    assert {way.rpartition(".")[0] for way in WAYS} == NEEDED.keys()
    named = {".".join(key.path) for key in keys() if key.kind in ("secret", "table of secrets")}
    assert named | {"storage.url"} == set(WAYS)
    tally("S17", len(SECRETS))


def shown(path: Path) -> Iterator[str]:
    """A config in every form in which somebody may come to write it down."""
    config = load_config(path, {})
    yield from (repr(config), str(config), f"{vars(config)}")
    for section in config.channels.sections.values():
        yield from (repr(section), str(section.model_dump()), section.model_dump_json())
    yield from (repr(config.storage), str(config.storage.url), config.storage.model_dump_json())


def test_a_config_shows_no_secret_in_any_form(config: Path, tally: Tally) -> None:
    forms = list(shown(config))
    assert [form for form in forms if MARK in form] == []
    tally("S17", len(forms) * len(SECRETS))


@pytest.mark.parametrize("way", WAYS)
def test_a_config_that_others_can_read_may_hold_no_secret(config: Path, way: str, tally: Tally) -> None:
    text = config.read_text(encoding="utf-8")
    for other in WAYS:
        if other != way:
            text = text.replace(SECRETS[other], spare(other))
    config.write_text(text, encoding="utf-8")
    modes: Sequence[int] = (0o644, 0o640, 0o604, 0o666)[: count(2, 4)]
    for mode in modes:
        config.chmod(mode)
        with pytest.raises(Exception, match="chmod 600") as refused:
            load_config(config, {})
        assert f"{way}" in str(refused.value)
        assert MARK not in str(refused.value)
    tally("S17", len(modes))


def spare(way: str) -> str:
    """Another value of the same shape that is no canary."""
    return SECRETS[way].replace(MARK, "SomethingElseOf")
