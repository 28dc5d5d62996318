import re
import tomllib
from collections.abc import Callable, Mapping
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner
from pydantic import ValidationError

from bot.__main__ import main
from bot.channels import CHANNELS
from bot.config import Config, ConfigError, Problem, load_config
from bot.config.keys import keys, secrets
from bot.config.lines import lines_of
from bot.config.pages import example, reference
from bot.config.spelling import to_toml
from domain.rules import UNSURE, Clock, Difficulty, Kind, Listener, Route, Rung
from domain.spans import Span, Unit, parse_span
from storage.open import BACKENDS
from storage.years import read_years

ROOT = Path(__file__).resolve().parents[2]
PARK = '[park]\nname = "大树营工业园"\n'
CANARY = "canary-7f3a9"
Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write a config.toml that only its owner may read."""

    def save(text: str, mode: int = 0o600) -> Path:
        path = tmp_path / "config.toml"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return path

    return save


def troubles(path: Path | None, env: Mapping[str, str] | None = None) -> list[Problem]:
    with pytest.raises(ConfigError) as caught:
        load_config(path, env or {})
    return caught.value.problems


# What a park gets without writing anything ----------------------------------------------------------------------------
def test_a_name_is_all_that_a_park_has_to_give(write: Write) -> None:
    config = load_config(write(PARK), {})
    assert config.park.name == "大树营工业园"
    assert config.park.timezone == ZoneInfo("Asia/Shanghai")
    assert config.storage_url == "sqlite:///data/lianqi.db"
    assert config.address == "http://127.0.0.1:8080"
    assert config.channels.on == ("web",)


def test_the_default_terms_are_those_that_counties_publish() -> None:
    terms = Config.demo(data=Path("data")).rules(read_years()).terms
    spelled = {
        "dispatch": "4wh",
        "dispatch_urgent": "1h",
        "acknowledge": "1wd",
        "urgent": "2h",
        "inquiry": "2wd",
        "inquiry_hard": "3wd",
        "appeal": "10wd",
        "appeal_easy": "3wd",
        "appeal_hard": "15wd",
        "complaint": "15wd",
        "complaint_accept": "3wd",
        "suggestion": "10wd",
        "blocked_service": "5wd",
        "part": "3wd",
        "extension_total": "30wd",
        "rework_least": "2wd",
    }
    assert {name: getattr(terms, name) for name in spelled} == {k: parse_span(v) for k, v in spelled.items()}
    assert terms.rework_share == 0.5


def test_the_default_ladder_climbs_from_the_handler_to_the_inspector() -> None:
    rules = Config.demo(data=Path("data")).rules(read_years())
    days = Unit.WORKING_DAYS
    assert rules.ladders[Clock.RESOLVE] == (
        Rung("-2wd", Span(-2, days), (Listener.HANDLER,)),
        Rung("0s", Span(0, Unit.WALL), (Listener.HANDLER,)),
        Rung("+1wd", Span(1, days), (Listener.HANDLER, Listener.HEAD), "reminder_notice"),
        Rung("+3wd", Span(3, days), (Listener.CHIEF,), "", "coordinator"),
        Rung("+5wd", Span(5, days), (Listener.INSPECTOR,), "", "coordinator"),
    )
    assert rules.ladders[Clock.ACKNOWLEDGE][0] == Rung("50%", 0.5, (Listener.HANDLER,))
    assert rules.ladders[Clock.DISPATCH] == (Rung("0s", Span(0, Unit.WALL), (Listener.COORDINATOR,)),)
    assert rules.ladders[Clock.SURVEY] == (
        Rung("remind", Span(3, days), (Listener.CONTACT,)),
        Rung("call", Span(6, days), (Listener.COORDINATOR,)),
    )


def test_the_default_hours_survey_and_digest_are_those_of_an_office() -> None:
    rules = Config.demo(data=Path("data")).rules(read_years())
    opening = [(one.start, one.end) for one in rules.calendar.hours.intervals]
    assert opening == [(time(8, 30), time(12)), (time(14), time(17, 30))]
    assert rules.calendar.hours.quiet is not None
    assert (rules.calendar.hours.quiet.start, rules.calendar.hours.quiet.end) == (time(21), time(8))
    assert rules.survey.unrated_after_calls == 3
    assert (rules.digest.daily, rules.digest.monthly) == ((time(8, 30),), time(8, 30))


def test_the_starting_set_has_the_subjects_of_an_industrial_park() -> None:
    categories = Config.demo(data=Path("data")).categories
    assert len(categories) == 22
    assert "电压低" in categories["power"].keywords
    assert categories["power"].department == "供电公司"
    assert (categories["service"].route, categories["service"].sensitive) == (Route.INSPECTOR, True)
    assert UNSURE.code not in categories


def test_the_demo_keeps_all_its_files_in_its_own_folder(tmp_path: Path) -> None:
    config = Config.demo(data=tmp_path, port=9000, language="en")
    assert config.storage_url == f"sqlite:///{tmp_path}/lianqi.db"
    assert config.security.key_file.parent == tmp_path
    assert (config.web.port, config.park.language) == (9000, "en")


# What a park writes ---------------------------------------------------------------------------------------------------
def test_a_park_changes_adds_and_switches_off_categories(write: Write) -> None:
    text = PARK + (
        '[[category]]\ncode = "power"\ndepartment = "D07"\ndeadlines = { appeal = "5wd" }\n'
        '[[category]]\ncode = "river"\nname = "河道"\nroute = "department"\n'
        '[[category]]\ncode = "school"\nenabled = false\n'
    )
    rules = load_config(write(text), {}).rules(read_years())
    assert (rules.categories["power"].department, rules.categories["power"].name) == ("D07", "要素保障·用电")
    assert rules.term(Kind.APPEAL, "power", Difficulty.NORMAL) == parse_span("5wd")
    assert rules.term(Kind.APPEAL, "water", Difficulty.NORMAL) == parse_span("10wd")
    assert rules.categories["river"].route is Route.DEPARTMENT
    assert "school" not in rules.categories


def test_a_parks_own_rungs_replace_those_of_their_clock_only(write: Write) -> None:
    config = load_config(write(PARK + '[[ladder.resolve]]\nat = "-1wd"\ntell = ["liaison"]\n'), {})
    assert config.ladders[Clock.RESOLVE] == (Rung("-1wd", Span(-1, Unit.WORKING_DAYS), (Listener.LIAISON,)),)
    assert len(config.ladders[Clock.ACKNOWLEDGE]) == 2


def test_summer_hours_hold_in_summer(write: Write) -> None:
    season = '[[hours.season]]\nfrom = "05-01"\nto = "09-30"\nintervals = ["08:00-12:00"]\n'
    hours = load_config(write(PARK + season), {}).rules(read_years()).calendar.hours
    assert (hours.seasons[0].start, hours.seasons[0].end) == ((5, 1), (9, 30))


def test_a_park_may_have_no_quiet_hours(write: Write) -> None:
    config = load_config(write(PARK + '[hours]\nquiet = ""\n'), {})
    assert config.rules(read_years()).calendar.hours.quiet is None


@pytest.mark.parametrize("key", ['"status.closed"', "status.closed"])
def test_a_park_may_overrule_a_sentence(key: str, write: Write) -> None:
    config = load_config(write(f'{PARK}[texts]\n{key} = {{ zh = "办好了" }}\n'), {})
    assert config.texts == {"status.closed": {"zh": "办好了"}}


def test_a_file_saved_by_a_windows_editor_is_read(write: Write) -> None:
    path = write("")
    path.write_bytes(b"\xef\xbb\xbf" + PARK.replace("\n", "\r\n").encode())
    assert load_config(path, {}).park.name == "大树营工业园"


# The environment ------------------------------------------------------------------------------------------------------
def test_the_environment_goes_before_the_file(write: Write) -> None:
    env = {
        "LIANQI_WEB__PORT": "9090",
        "LIANQI_HOURS__ALWAYS": "true",
        "LIANQI_DIGEST__TIMES": '["08:00", "16:00"]',
        "LIANQI_PARK__NAME": "20260101",
        "LIANQI_SURVEY": '{"remind": "2wd"}',
        "PATH": "ignored",
        "LIANQI_FULL": "1",
    }
    config = load_config(write(PARK + "[web]\nport = 80\n[survey]\nunrated_after_calls = 5\n"), env)
    assert (config.web.port, config.hours.always, config.park.name) == (9090, True, "20260101")
    assert config.digest.times == (time(8), time(16))
    assert (config.survey.remind, config.survey.unrated_after_calls) == (parse_span("2wd"), 5)


def test_the_environment_alone_is_enough() -> None:
    env = {"LIANQI_PARK__NAME": "园", "LIANQI_CHANNELS__TELEGRAM__TOKEN": f"1:{CANARY}"}
    config = load_config(None, env)
    assert config.channels.telegram is not None
    assert config.channels.telegram.token.get_secret_value() == f"1:{CANARY}"


def test_a_wrong_variable_is_told_by_its_name(write: Write) -> None:
    (problem,) = troubles(write(PARK + "[web]\nport = 80\n"), {"LIANQI_WEB__PORT": "http"})
    assert (problem.file, problem.line, problem.key) == ("$LIANQI_WEB__PORT", 0, "web.port")
    assert "whole number" in str(problem)


def test_a_misspelled_variable_is_told_with_the_right_one(write: Write) -> None:
    (problem,) = troubles(write(PARK), {"LIANQI_STORAGE__URI": "sqlite:///x.db"})
    assert problem.file == "$LIANQI_STORAGE__URI"
    assert "storage.url" in str(problem)


# Everything that can be wrong -----------------------------------------------------------------------------------------
AIBOT = '[channels.wecom_aibot]\nbot_id = "b"\nsecret = "s"\n'
RUNG = "[[ladder.resolve]]\n"
BROKEN: list[tuple[str, int, str, str]] = [
    # text after [park] and name, line, key, a word of the remedy
    ("[web]\nport 80", 4, "port", "TOML"),
    ("[web]\nhost = “127.0.0.1”", 4, "host", "half-width"),
    ('[web]\nhost = "x', 4, "host", "TOML"),
    ("[web]\nhost = 1\nhost = 2", 5, "host", "TOML"),
    ("[web]\nprot = 80", 4, "web.prot", "web.port"),
    ("[wbe]\nport = 80", 3, "wbe", "is web meant"),
    ('[telegram]\ntoken = "x"', 3, "telegram", "channels.telegram"),
    ('[web]\ntimezone = "Asia/Shanghai"', 4, "web.timezone", "park.timezone"),
    ("[digest]\nxyz = 1", 4, "digest.xyz", "times, monthly"),
    ("web = 3", 3, "park.web", "park"),
    ("[web]\nport = 70000", 4, "web.port", "65535"),
    ('[web]\nport = "http"', 4, "web.port", "whole number"),
    ("[web]\nhost = 3", 4, "web.host", "double quotes"),
    ('[web]\nproxies = ["10.0.0.0/33"]', 4, "web.proxies[1]", "172.16.0.0/12"),
    ('[web]\npublic_url = "lianqi.example"', 4, "web.public_url", "https://"),
    ('[hours]\nalways = "sometimes"', 4, "hours.always", "true"),
    ('[hours]\nquiet = "9pm-8am"', 4, "hours.quiet", "08:30-12:00"),
    ("[hours]\nintervals = []", 4, "hours.intervals", "at least one"),
    ('[hours]\nintervals = "08:30-12:00"', 4, "hours.intervals", "list"),
    ('[hours]\nintervals = [\n  "14:00-17:30",\n  "08:30-12:00",\n]', 6, "hours.intervals[2]", "order"),
    ('[hours]\nintervals = ["22:00-06:00"]', 4, "hours.intervals[1]", "midnight"),
    ('[[hours.season]]\nfrom = "02-30"\nto = "09-30"\nintervals = ["08:00-12:00"]', 4, "hours.season[1].from", "05-01"),
    ('[[hours.season]]\nfrom = "05-01"\nintervals = ["08:00-12:00"]', 3, "hours.season[1].to", 'to = "09-30"'),
    ('[deadlines]\nappeal = "10 days"', 4, "deadlines.appeal", "3wd"),
    ('[deadlines]\nappeal = "0wd"', 4, "deadlines.appeal", "more than nothing"),
    ("[deadlines]\nappeal = 10", 4, "deadlines.appeal", "double quotes"),
    ('[deadlines]\nrework = "150%"', 4, "deadlines.rework", "50%"),
    (f'{RUNG}at = "2wd"\ntell = ["handler"]', 4, "ladder.resolve[1].at", "before or after"),
    (f'{RUNG}at = "-2wd"\ntell = ["boss"]', 5, "ladder.resolve[1].tell[1]", "coordinator"),
    (f'{RUNG}at = "-2wd"\ntell = []', 5, "ladder.resolve[1].tell", "say who"),
    (f'{RUNG}at = "-2wd"', 3, "ladder.resolve[1].tell", 'tell = ["handler"]'),
    (f'{RUNG}at = "0s"\ntell = ["chief"]\nrelease = "mayor"', 6, "ladder.resolve[1].release", "coordinator"),
    (f'{RUNG}at = "0s"\ntell = ["chief"]\ndocument = "letter"', 6, "ladder.resolve[1].document", "reminder_notice"),
    (f'{RUNG}at="0s"\ntell=["chief"]\n{RUNG}at="100%"\ntell=["head"]', 7, "ladder.resolve[2].at", "same moment"),
    ('[survey]\ncall = "24h"', 4, "survey.call", "same unit"),
    ("[survey]\nunrated_after_calls = 0", 4, "survey.unrated_after_calls", "above zero"),
    ('[digest]\ntimes = ["16:00", "08:30"]', 4, "digest.times[2]", "early to late"),
    ('[digest]\nmonthly = "25:00"', 4, "digest.monthly", "08:30"),
    ('[[category]]\ncode = "river"', 3, "category[1]", "name"),
    ('[[category]]\ncode = "用电"', 4, "category[1].code", "lower-case"),
    ('[[category]]\ncode="tax"\n[[category]]\ncode = "tax"', 6, "category[2].code", "twice"),
    ('[[category]]\ncode="tax"\nroute = "mayor"', 5, "category[1].route", "inspector"),
    ('[[category]]\ncode="tax"\n[category.deadlines]\nappeal = "soon"', 6, "category[1].deadlines.appeal", "3wd"),
    ('[storage]\nurl = "mysql://db/x"', 4, "storage.url", "postgresql://"),
    ('[storage]\nurl = "sqlite://x.db"', 4, "storage.url", "three slashes"),
    ("[channels.telegram]", 3, "channels.telegram.token", "token = "),
    ('[channels.telegram]\ntoken = "hello"', 4, "channels.telegram.token", "123456:ABC"),
    ('[channels.telegram]\ntoken="1:x"\nmode = "push"', 5, "channels.telegram.mode", "webhook"),
    (
        '[channels.telegram]\ntoken="1:x"\nmode="webhook"\nwebhook_secret="s"',
        3,
        "channels.telegram.webhook_url",
        "mode",
    ),
    (f'{AIBOT}url = "https://x.example"', 6, "channels.wecom_aibot.url", "wss://"),
    (
        '[channels.wecom_app]\naes_key = "short"\ncorp_id="c"\nagent_id=1\nsecret="s"\ntoken="t"',
        4,
        "channels.wecom_app.aes_key",
        "43",
    ),
    ("[channels.wecom_group]\nwebhooks = {}", 4, "channels.wecom_group.webhooks", "fill it in"),
    ("[channels.web]\nenabled = false", 3, "channels", "at least one channel"),
    ('[channels.telegram]\ntoken_file = "/no/such/file"', 4, "channels.telegram.token_file", "path and rights"),
    ('[channels.telegram]\ntoken = "1:x"\ntoken_file = "/no/such"', 5, "channels.telegram.token_file", "not both"),
    ('[texts]\n"status.close" = { zh = "好" }', 4, 'texts."status.close"', "status.closed"),
    ('[texts]\n"status.closed" = "好"', 4, 'texts."status.closed"', "zh"),
    ('[texts]\n"status.closed" = { zh = "{who}" }', 4, 'texts."status.closed".zh', "{who}"),
    ('[texts]\n"status.closed" = { zh = "{" }', 4, 'texts."status.closed".zh', "braces"),
]


@pytest.mark.parametrize("text,line,key,remedy", BROKEN)
def test_a_broken_config_is_told_with_its_line_and_what_to_write(
    text: str, line: int, key: str, remedy: str, write: Write
) -> None:
    path = write(PARK + text + "\n")
    (problem,) = troubles(path)
    assert (problem.file, problem.line) == (str(path), line)
    assert problem.key == key
    assert remedy in str(problem)
    assert " / " in str(problem)


def test_all_problems_are_told_at_once(write: Write) -> None:
    text = '[web]\nport = 70000\n[hours]\nquiet = "x"\n[digest]\nmonthly = "9"\nmounthly = "08:30"\n'
    problems = troubles(write(text))
    assert [problem.key for problem in problems] == [
        "park",
        "web.port",
        "hours.quiet",
        "digest.monthly",
        "digest.mounthly",
    ]
    assert "5" in str(ConfigError(problems)).splitlines()[0]


def test_a_missing_file_is_told_with_the_way_to_begin(tmp_path: Path) -> None:
    (problem,) = troubles(tmp_path / "config.toml")
    assert "cp config.example.toml config.toml" in str(problem)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes("[park]\nname = '工业园'".encode("gb18030"))
    assert "UTF-8" in str(troubles(path)[0])
    assert "rights" in str(troubles(tmp_path)[0])


@pytest.mark.parametrize("verb", ["run", "check", "migrate"])
def test_the_command_line_stops_with_78_before_it_opens_anything(verb: str, write: Write) -> None:
    path = write(PARK + "[web]\nport = 70000\n")
    result = CliRunner().invoke(main, ["--config", str(path), verb])
    assert result.exit_code == 78
    assert f"{path}:4 web.port" in result.output
    assert [file.name for file in path.parent.iterdir()] == ["config.toml"]


# What this build does not have ----------------------------------------------------------------------------------------
def test_a_channel_that_this_build_lacks_is_told_with_its_line(write: Write) -> None:
    config = load_config(write(PARK + '[channels.telegram]\ntoken = "1:x"\n'), {})
    config.require_channels(["web", "telegram"])
    with pytest.raises(ConfigError) as caught:
        config.require_channels(["web"])
    (problem,) = caught.value.problems
    assert (problem.line, problem.key) == (3, "channels.telegram")
    assert "no channel telegram" in str(problem)


def test_a_database_that_this_build_lacks_is_told_with_its_line(write: Write) -> None:
    config = load_config(write(PARK + '[storage]\nurl = "postgresql://lianqi@db/lianqi"\n'), {})
    config.require_storage(["sqlite", "postgresql"])
    with pytest.raises(ConfigError) as caught:
        config.require_storage(["sqlite"])
    assert (caught.value.problems[0].line, caught.value.problems[0].key) == (4, "storage.url")


LACKING = [
    ("CHANNELS", "telegram", '[channels.telegram]\ntoken = "1:x"\n'),
    ("CHANNELS", "wecom_aibot", '[channels.wecom_aibot]\nbot_id = "b"\nsecret = "s"\n'),
    ("BACKENDS", "postgresql", '[storage]\nurl = "postgresql://lianqi@db/lianqi"\n'),
]


@pytest.mark.parametrize("kind, name, text", LACKING)
def test_the_command_line_stops_with_78_where_this_build_lacks_something(
    kind: str, name: str, text: str, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    left = [each for each in {"CHANNELS": CHANNELS, "BACKENDS": BACKENDS}[kind] if each != name]
    monkeypatch.setattr(f"bot.errands.{kind}", left)
    result = CliRunner().invoke(main, ["--config", str(write(PARK + text)), "check"])
    assert result.exit_code == 78
    assert "this build has no" in result.output


# Secrets --------------------------------------------------------------------------------------------------------------
TELEGRAM = f'[channels.telegram]\ntoken = "1:{CANARY}"\n'
SECRETS = [
    TELEGRAM,
    f'[channels.wecom_aibot]\nbot_id = "b"\nsecret = "{CANARY}"\n',
    f'[channels.wecom_group]\nwebhooks = {{ "群" = "{CANARY}" }}\n',
    f'[storage]\nurl = "postgresql://lianqi:{CANARY}@db/lianqi"\n',
]


@pytest.mark.parametrize("text", SECRETS)
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644])
def test_a_secret_in_a_file_that_others_can_read_is_refused(text: str, mode: int, write: Write) -> None:
    (problem,) = troubles(write(PARK + text, mode))
    assert problem.line > 3
    assert "chmod 600" in str(problem)
    assert CANARY not in str(problem)


def test_a_file_without_secrets_may_be_read_by_everybody(write: Write) -> None:
    load_config(write(PARK + '[storage]\nurl = "postgresql://lianqi@db/lianqi"\n', 0o644), {})
    load_config(write(PARK, 0o644), {"LIANQI_CHANNELS__TELEGRAM__TOKEN": "1:x"})


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_never_shown(text: str, write: Write) -> None:
    config = load_config(write(PARK + text), {})
    assert CANARY not in f"{config!r} {config}"


@pytest.mark.parametrize("text", SECRETS)
def test_a_secret_is_never_shown_in_an_error(text: str, write: Write) -> None:
    broken = text + f'unknown = "{CANARY}"\n[web]\nport = "x"\n'
    with pytest.raises(ConfigError) as caught:
        load_config(write(PARK + broken), {})
    assert CANARY not in f"{caught.value} {caught.value!r} {caught.value.problems!r}"
    assert caught.value.__suppress_context__


def test_the_model_itself_repeats_no_input() -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate({"park": {"name": "园"}, "channels": {"telegram": {"tokn": CANARY}}})
    assert CANARY not in str(caught.value)


def test_a_misshapen_secret_is_told_by_its_shape_alone(write: Write) -> None:
    (problem,) = troubles(write(f'{PARK}[channels.telegram]\ntoken = "{CANARY}"\n'))
    assert CANARY not in repr(problem)


def test_a_secret_is_read_from_a_file_of_its_own(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(f"1:{CANARY}\n", encoding="utf-8")
    path = write(PARK + '[channels.telegram]\ntoken_file = "${CREDENTIALS_DIRECTORY}/token"\n', 0o644)
    config = load_config(path, {"CREDENTIALS_DIRECTORY": str(tmp_path)})
    assert config.channels.telegram is not None
    assert config.channels.telegram.token.get_secret_value() == f"1:{CANARY}"


def test_the_keys_of_groups_are_read_from_a_file_of_their_own(write: Write, tmp_path: Path) -> None:
    (tmp_path / "keys").write_text(f'"联企群" = "{CANARY}"\n', encoding="utf-8")
    path = write(f'{PARK}[channels.wecom_group]\nwebhooks_file = "{tmp_path}/keys"\n', 0o644)
    group = load_config(path, {}).channels.wecom_group
    assert group is not None
    assert group.webhooks["联企群"].get_secret_value() == CANARY


def test_an_empty_secret_file_is_told(write: Write, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n", encoding="utf-8")
    (problem,) = troubles(write(f'{PARK}[channels.telegram]\ntoken_file = "{tmp_path}/token"\n'))
    assert (problem.key, "is empty" in str(problem)) == ("channels.telegram.token_file", True)


def test_of_a_secret_and_its_file_the_environments_holds(write: Write) -> None:
    path = write(PARK + '[channels.telegram]\ntoken_file = "/no/such/file"\n')
    config = load_config(path, {"LIANQI_CHANNELS__TELEGRAM__TOKEN": "2:y"})
    assert config.channels.telegram is not None
    assert config.channels.telegram.token.get_secret_value() == "2:y"


def test_every_secret_has_a_file_twin() -> None:
    named = {key.path for key in keys() if key.kind in ("secret", "table of secrets")}
    assert named | {("storage", "url")} == set(secrets())


# The pages made from the model ----------------------------------------------------------------------------------------
def activated(pattern: str) -> str:
    """The example with the `#` of matching lines removed."""
    text = (ROOT / "config.example.toml").read_text(encoding="utf-8")
    return re.sub(pattern, "", text, flags=re.MULTILINE)


def test_the_example_as_it_stands_is_a_park_with_defaults(write: Write) -> None:
    config = load_config(write((ROOT / "config.example.toml").read_text(encoding="utf-8"), 0o644), {})
    assert repr(config) == repr(Config.model_validate({"park": {"name": "XX县工业园"}}))


def test_every_commented_key_of_the_example_is_the_default(write: Write) -> None:
    config = load_config(write(activated(r"^#(?=[\[a-z])")), {})
    default = Config.model_validate({"park": {"name": "XX县工业园"}})
    assert config.rules([]).terms == default.rules([]).terms
    assert (config.ladders, config.categories) == (default.ladders, default.categories)
    for name in Config.model_fields.keys() - {"channels", "category", "ladder"}:
        assert getattr(config, name) == getattr(default, name), name
    for key in keys():
        if key.path[0] == "channels" and key.model is None and not key.field.is_required():
            section = getattr(config.channels, key.path[1])
            assert getattr(section, key.name) == key.field.default, key.path


def shown_in_the_example() -> set[tuple[str, ...]]:
    """The ways to all keys that stand in it, whether open, as a default or as a sample."""
    tables = tomllib.loads(activated(r'^#( {4})?(?=[\["a-z])'))
    return {tuple(part for part in path if isinstance(part, str)) for path in _paths(tables)}


def test_the_example_shows_no_key_that_there_is_not() -> None:
    known = {key.path for key in keys() if key.model is None}
    free = {("texts",), ("channels", "wecom_group", "webhooks")}
    assert all(path in known or path[:1] in free or path[:3] in free for path in shown_in_the_example())


def test_every_key_stands_in_the_example() -> None:
    text, shown = activated("^$"), shown_in_the_example()
    explained = {key.path for key in keys() if re.search(rf"^#   {key.name}: ", text, re.MULTILINE)}
    ladders = {("ladder", clock) for clock in ("acknowledge", "resolve", "part", "milestone", "order")}
    lists = {("hours", "season"), ("category",), *ladders}
    for key in keys():
        inside = any(key.path[: len(path)] == path and len(key.path) == len(path) + 1 for path in lists)
        starts = any(path[: len(key.path)] == key.path for path in shown)
        assert starts or (inside and key.path in explained), key.path


def test_the_example_and_the_reference_are_up_to_date() -> None:
    assert (ROOT / "config.example.toml").read_text(encoding="utf-8") == example()
    assert (ROOT / "docs/reference/config.md").read_text(encoding="utf-8") == reference()


def test_every_key_stands_in_the_reference() -> None:
    page = (ROOT / "docs/reference/config.md").read_text(encoding="utf-8")
    for key in keys():
        header = ".".join(key.path[:-1]) if key.model is None else ".".join(key.path)
        assert f"[{header}]" in page or not header, key.path
        assert key.model is not None or key.name == "texts" or f"| `{key.name}` |" in page, key.path


# Lines ----------------------------------------------------------------------------------------------------------------
def test_lines_are_found_in_every_way_of_writing_toml() -> None:
    source = (
        'top = 1 # a = 2\n[a]\nb.c = "x = 1"\n"d.e" = [\n  1,\n  { f = "}" },\n]\n'
        'text = """\n[not] = here\n"""\n[[a.list]]\ng = \'#\'\n[a.list.h]\ni = 2024-01-01\n[[a.list]]\ng = 1.5\n'
    )
    lines = lines_of(source)
    assert lines[("top",)] == 1
    assert lines[("a", "b", "c")] == 3
    assert (lines[("a", "d.e", 0)], lines[("a", "d.e", 1, "f")]) == (5, 6)
    assert lines[("a", "text")] == 8
    assert (lines[("a", "list", 0, "g")], lines[("a", "list", 0, "h", "i")]) == (12, 14)
    assert lines[("a", "list", 1, "g")] == 16
    assert set(_paths(tomllib.loads(source))) <= set(lines)


@pytest.mark.parametrize("text", ["45s", "15m", "4h", "4wh", "3wd"])
def test_a_duration_is_written_as_it_is_read(text: str) -> None:
    assert to_toml(parse_span(text)) == f'"{text}"'


def _paths(value: object, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The ways to all values that are no tables."""
    if isinstance(value, dict):
        return [found for name, inner in value.items() for found in _paths(inner, (*path, name))]
    if isinstance(value, list) and any(isinstance(item, dict) for item in value):
        return [found for place, item in enumerate(value) for found in _paths(item, (*path, place))]
    return [path]
