"""What is shipped for containers and systemd says what the program understands."""

import re
from pathlib import Path

import pytest

from bot.__main__ import CONFIG_ERROR
from bot.config import load_config
from tests.house import FLOORS

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
ROOT = DEPLOY.parent
SETTINGS = ("Dockerfile", "compose.sqlite.yaml", "compose.postgres.yaml", "lianqi.service", "lianqi-backup.service")


def text(name: str) -> str:
    return (DEPLOY / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_in_the_environment_is_one_of_the_config(name: str, tmp_path: Path) -> None:
    given = dict(re.findall(r"^[^#\n]*?\b(LIANQI_[A-Z_]+)\s*[:=]\s*('[^']*'|\S+)", text(name), re.MULTILINE))
    assert given
    address = tmp_path / "address"
    address.write_text("postgresql://lianqi:x@db/lianqi\n", encoding="utf-8")
    address.chmod(0o600)
    env = {key: str(address) if key.endswith("_FILE") else value.strip("'") for key, value in given.items()}
    config = tmp_path / "config.toml"
    config.write_text('[park]\nname = "试验园区"\n', encoding="utf-8")
    load_config(config, env)


def test_the_image_holds_every_floor_there_is() -> None:
    copied = set(re.findall(r"^COPY (\w+) ", text("Dockerfile"), re.MULTILINE))
    assert copied == {floor for floor in FLOORS if (ROOT / floor).is_dir()}
    let_through = set(re.findall(r"^!(\S+)$", text("Dockerfile.dockerignore"), re.MULTILINE))
    assert let_through == copied | {"requirements/pg.lock", "deploy/bootstrap.py"}


def test_a_bad_config_is_not_tried_again_and_again() -> None:
    assert f"RestartPreventExitStatus={CONFIG_ERROR}\n" in text("lianqi.service")
    assert "/bin/lianqi run --config " in text("lianqi.service")


def test_the_nightly_backup_is_of_the_house_that_the_service_runs() -> None:
    backup, service = text("lianqi-backup.service"), text("lianqi.service")
    assert "/bin/lianqi backup --config " in backup
    for line in ("DynamicUser=yes", "Environment=LIANQI_STORAGE__URL", "LoadCredential=", "WorkingDirectory="):
        (wanted,) = (each for each in service.splitlines() if each.startswith(line))
        assert wanted in backup.splitlines()
    assert "User=lianqi\n" in backup


@pytest.mark.parametrize("name", ["compose.sqlite.yaml", "compose.postgres.yaml"])
def test_nothing_is_opened_to_other_machines(name: str) -> None:
    ports = re.findall(r"^ *ports: \[(.*)\]", text(name), re.MULTILINE)
    assert ports
    assert all(port.strip('"').startswith("127.0.0.1:") for port in ports)
