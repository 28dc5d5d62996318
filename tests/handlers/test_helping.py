"""帮助 lists only what works for the asker; 取消 leaves nothing behind."""

import pytest

from domain import access
from domain.people import Person, Role
from domain.verbs import Verb
from handlers import ROUTER
from tests.handlers.talk import BOSS, CHIEF, DUTY, HEAD, INSPECTOR, LIAISON, MULTI, OFFICE, count, heard, newcomer, to
from tests.stories.town import Town
from texts import Catalogue

WORDS = Catalogue.load(strict=True)
RELATIONS = {
    Role.CONTACT: {access.Relation.FIRM},
    Role.LIAISON: {access.Relation.LIAISON, access.Relation.HANDLER},
    Role.HANDLER: {access.Relation.HANDLER},
    Role.HEAD: {access.Relation.HEAD},
    Role.CHIEF: {access.Relation.CHIEF},
    Role.COORDINATOR: {access.Relation.COORDINATOR},
    Role.INSPECTOR: {access.Relation.INSPECTOR},
}
ASKERS = [
    (BOSS, Role.CONTACT),
    (LIAISON, Role.LIAISON),
    (DUTY, Role.HANDLER),
    (HEAD, Role.HEAD),
    (CHIEF, Role.CHIEF),
    (OFFICE, Role.COORDINATOR),
    (INSPECTOR, Role.INSPECTOR),
]


def works(verb: Verb, role: Role) -> bool:
    """Whether somebody of this role may ever use the command."""
    asks = access.may_ask(verb, Person(1, "某人", frozenset({role})))
    meant = {verb, Verb.TAKE_BACK} if verb is Verb.UNDO else {verb}
    return verb in ROUTER.commands and (asks or any(access.may(each, frozenset(RELATIONS[role])) for each in meant))


def named(text: str) -> set[Verb]:
    """The verbs that a help text names at the beginning of a phrase."""
    found: set[Verb] = set()
    text = text.replace("回访 12 满意", "回访 12")
    for mark in "\n、，；“”／/ ":
        text = text.replace(mark, "|")
    for phrase in text.split("|"):
        found |= {verb for verb in Verb if WORDS.word(verb, "zh") == phrase}
    return found


@pytest.mark.parametrize("who, role", ASKERS)
async def test_help_names_only_commands_that_work_for_the_asker(park: Town, who: str, role: Role) -> None:
    text = heard(await park.says(who, "帮助"), who)
    verbs = named(text)
    assert len(verbs) >= 3
    assert {verb for verb in verbs if not works(verb, role)} == set()


@pytest.mark.parametrize("who, role", ASKERS)
async def test_english_help_has_the_same_sections(park: Town, who: str, role: Role) -> None:
    await park.says(who, "语言 英文")
    text = heard(await park.says(who, "help"), who)
    assert not [char for char in text.replace(who, "") if "\u4e00" <= char <= "\u9fff"]


async def test_who_holds_several_roles_reads_each_line_once(park: Town) -> None:
    await newcomer(park, "多面手", Role.LIAISON, Role.HANDLER, Role.COORDINATOR)
    lines = heard(await park.says("多面手", "帮助"), "多面手").splitlines()
    assert len(lines) == len(set(lines))


async def test_help_of_the_office_is_not_shown_to_a_firms_group(park: Town) -> None:
    said = await park.says(LIAISON, "帮助", where=MULTI)
    assert (to(said, MULTI), to(said, LIAISON)) == (["reply.sent_privately"], ["help.all"])
    assert to(await park.says(BOSS, "帮助", where=MULTI), MULTI) == ["help.all"]


async def test_an_unknown_command_is_named_before_the_help(park: Town) -> None:
    text = heard(await park.says(BOSS, "/开门"), BOSS)
    assert text.startswith("没有“开门”这个命令。")
    assert "诉求" in text


async def test_a_stranger_is_told_how_to_be_known(park: Town) -> None:
    assert "绑定" in heard(await park.says("路人", "帮助"), "路人")


@pytest.mark.parametrize("line", ["诉求", "咨询", "投诉", "建议", "车间又停电了"])
@pytest.mark.parametrize("way", ["取消", "/取消", "cancel", "/cancel", "button"])
async def test_cancel_leaves_nothing_behind(park: Town, line: str, way: str) -> None:
    await park.says(BOSS, line)
    said = await park.says(BOSS, button="cancel::") if way == "button" else await park.says(BOSS, way)
    assert to(said, BOSS) == ["help.cancelled"]
    for table in ("steps", "appeals", "events", "kept_messages", "requests"):
        assert await count(park, table) == 0
