"""What people type, and what lianqi takes it for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.verbs import Verb
from handlers.spelling import Spoken, fold, read
from texts import Catalogue

WORDS = Catalogue.load(strict=True).words()
NAMES = ("联企", "lianqi_bot")


def heard(text: str, where: str) -> Spoken:
    """`where` is group, private, or reply (a group line that the platform knows to be meant for the bot)."""
    return read(text, WORDS, private=where == "private", addressed=where == "reply", bot_names=NAMES)


def known(spoken: Spoken) -> str:
    """verb|numbers|text, short enough for a table."""
    return "|".join([spoken.verb or "-", " ".join(spoken.numbers), spoken.text])


EVERYWHERE = [
    ("/诉求 停电", "appeal||停电"),
    ("／诉求 停电", "appeal||停电"),
    ("/诉求停电", "appeal||停电"),
    ("／诉求停电", "appeal||停电"),
    ("/诉求：停电", "appeal||停电"),
    ("/诉求，停电", "appeal||停电"),
    ("/ 诉求 停电", "appeal||停电"),
    ("/appeal 停电", "appeal||停电"),
    ("/appeal停电", "appeal||停电"),
    ("/APPEAL 停电", "appeal||停电"),
    ("／ａｐｐｅａｌ　停电", "appeal||停电"),
    ("/appeal@lianqi_bot 停电", "appeal||停电"),
    ("/appeal@Lianqi_Bot停电", "appeal||停电"),
    ("/诉求@联企 停电", "appeal||停电"),
    ("/诉求 @联企 停电", "appeal||停电"),
    ("/诉求 停电 @联企", "appeal||停电"),
    ("@联企 诉求 停电", "appeal||停电"),
    ("@联企 /诉求 停电", "appeal||停电"),
    ("＠联企　诉求　停电", "appeal||停电"),
    ("@联企，诉求：停电", "appeal||停电"),
    ("@联企诉求 停电", "appeal||停电"),
    ("@联企 诉求停电", "appeal||停电"),
    ("@联企\u2005诉求 停电", "appeal||停电"),
    ("@lianqi_bot诉求 停电", "appeal||停电"),
    ("诉求@联企 停电", "appeal||停电"),
    ("诉求 停电 @联企", "appeal||停电"),
    ("诉求 停电@lianqi_bot", "appeal||停电"),
    ("诉求：停电", "appeal||停电"),
    ("诉求:停电", "appeal||停电"),
    ("诉求\n3号线停电\n跳停3次", "appeal||3号线停电\n跳停3次"),
    ("诉求 停电\n\n照片见下", "appeal||停电\n\n照片见下"),
    ("appeal the power is out", "appeal||the power is out"),
    ("求助 停电", "appeal||停电"),
    ("诉求 12 台设备停电", "appeal||12 台设备停电"),
    ("诉\u200b求 停\u200d电", "appeal||停电"),
    ("\u2067诉求\u2069 停电\u202e", "appeal||停电"),
    ("\ufeff/诉求 停电", "appeal||停电"),
    ("咨询：设备补助怎么报", "inquire||设备补助怎么报"),
    ("ask how to apply", "inquire||how to apply"),
    ("满意 12", "satisfied|12|"),
    ("不满意 12 没修好", "dissatisfied|12|没修好"),
    ("基本满意 12", "fairly_satisfied|12|"),
    ("不认可 12", "disagree|12|"),
    ("不同意 12 材料不全", "deny|12|材料不全"),
    ("/不予受理 12 诉讼中", "decline|12|诉讼中"),
    ("/解释办结 12 已说明", "explain|12|已说明"),
    ("撤销并案 12", "unmerge|12|"),
    ("me too 12", "me_too|12|"),
    ("follow up 12", "follow_up|12|"),
    ("我的", "mine||"),
    ("MY", "mine||"),
    ("/my", "mine||"),
    ("/my@lianqi_bot", "mine||"),
    ("帮助", "help||"),
    ("接单 12", "acknowledge|12|"),
    ("接单　１２", "acknowledge|12|"),
    ("接单 #12", "acknowledge|12|"),
    ("接单 ＃12", "acknowledge|12|"),
    ("接单 LQ-2026-00012", "acknowledge|12|"),
    ("接单 lq-2026-00012", "acknowledge|12|"),
    ("接单：#00012", "acknowledge|12|"),
    ("接单 12号", "acknowledge|12|"),
    ("/接单12", "acknowledge|12|"),
    ("/accept12", "acknowledge|12|"),
    ("签收 12", "acknowledge|12|"),
    ("进展 #M-7K3Q9X 已到现场", "progress|M-7K3Q9X|已到现场"),
    ("进展 m-7k3q9x", "progress|M-7K3Q9X|"),
    ("补充 12号 又停电", "supplement|12|又停电"),
    ("补充 12号\n又停电", "supplement|12|又停电"),
    ("补充 12号楼也停电", "supplement||12号楼也停电"),
    ("补充 #12号楼也停电", "supplement||#12号楼也停电"),
    ("补充 #12又停电", "supplement|12|又停电"),
    ("补充 12，又停电", "supplement|12|又停电"),
    ("补充 12：30停的电", "supplement||12：30停的电"),
    ("补充 12台设备", "supplement||12台设备"),
    ("补充 12.5千瓦", "supplement||12.5千瓦"),
    ("补充 2026-03-12停电", "supplement||2026-03-12停电"),
    ("补充 13800000000", "supplement||13800000000"),
    ("补充 0", "supplement||0"),
    ("延期 12 5 天 等材料", "extend|12|5 天 等材料"),
    ("并案 12 15", "merge|12 15|"),
    ("并案 12、15和18 同一线路", "merge|12 15 18|同一线路"),
    ("并案 12,15", "merge|12 15|"),
    ("补充 12、又停电", "supplement|12|又停电"),
    ("补充 12和15号楼停电", "supplement||12和15号楼停电"),
    ("绑定 123456", "bind||123456"),
    ("/start 7KQ2-9X", "bind||7KQ2-9X"),
    ("补充 @张三 已到", "supplement||@张三 已到"),
    ("代录 宏达机械 停电", "record||宏达机械 停电"),
]


@pytest.mark.parametrize("where", ["group", "private", "reply"])
@pytest.mark.parametrize("text, meant", EVERYWHERE)
def test_a_command_is_understood_in_every_chat(text: str, meant: str, where: str) -> None:
    assert known(heard(text, where)) == meant


ONLY_TO_THE_BOT = [
    ("诉求停电", "appeal||停电"),
    ("诉求3号线停电", "appeal||3号线停电"),
    ("诉求12号楼停电", "appeal||12号楼停电"),
    ("诉求，停电", "appeal||停电"),
    ("appeal停电", "appeal||停电"),
    ("咨询是否可以延期缴税", "inquire||是否可以延期缴税"),
    ("投诉人社局窗口", "complain||人社局窗口"),
    ("建议增加班车", "suggest||增加班车"),
    ("满意！", "satisfied||"),
    ("我的？", "mine||"),
    ("接单12", "acknowledge|12|"),
    ("进度#12", "status|12|"),
    ("status12", "status|12|"),
    ("不满意，没修好", "dissatisfied||没修好"),
]


@pytest.mark.parametrize("text, meant", ONLY_TO_THE_BOT)
def test_a_looser_spelling_counts_only_when_said_to_the_bot(text: str, meant: str) -> None:
    assert known(heard(text, "private")) == meant
    assert known(heard(text, "reply")) == meant
    assert known(heard(f"@联企 {text}", "group")) == meant
    assert heard(text, "group").verb is None


TALK = [
    "建议大家错峰用电",
    "我的车坏了",
    "我的 车坏了",
    "进度条卡住了",
    "投诉电话是多少",
    "咨询的人很多",
    "诉求办理得怎么样了",
    "满意度调查",
    "满意100%",
    "已解决了",
    "不太满意",
    "办结率是多少",
    "address is 5 Main Street",
    "asking for a friend",
    "my-car is broken",
    "myself",
    "今天下午开会",
    "12",
    "@联企办 诉求怎么填",
    "@lianqi_bot2 appeal",
    "@张三 诉求 停电",
    "todo list for tomorrow",
    "/",
    "/ 你好",
    "//",
    "/usr/bin",
    "",
    "  \n ",
    "\u200b",
]


@pytest.mark.parametrize("where", ["group", "private", "reply"])
@pytest.mark.parametrize("text", TALK)
def test_talk_is_left_alone(text: str, where: str) -> None:
    spoken = heard(text, where)
    assert (spoken.verb, spoken.numbers, spoken.word, spoken.explicit) == (None, (), "", False)


def test_talk_keeps_its_words() -> None:
    assert heard("  今天下午\n开会 ", "group").text == "今天下午\n开会"


@pytest.mark.parametrize(
    "text, word, rest",
    [
        ("/诉球 停电", "诉球", "停电"),
        ("/appeals", "appeals", ""),
        ("/appeal_停电", "appeal_停电", ""),
        ("/xyz@lianqi_bot hello", "xyz", "hello"),
        ("@联企 /诉球：停电", "诉球", "停电"),
    ],
)
def test_an_unknown_word_behind_a_slash_is_told_apart_from_talk(text: str, word: str, rest: str) -> None:
    assert heard(text, "group") == Spoken(None, (), rest, word, True, rest)


def test_a_mention_without_a_command_is_addressed_talk() -> None:
    assert heard("@联企 你好", "group") == Spoken(None, (), "你好", "", True, "你好")
    assert heard("你好 @联企", "group") == Spoken(None, (), "你好", "", True, "你好")
    assert heard("@联企", "group") == Spoken(None, (), "", "", True, "")


def test_a_command_for_another_bot_is_left_alone() -> None:
    assert heard("/help@weather_bot", "group") == Spoken(
        None, (), "/help@weather_bot", "", False, "/help@weather_bot"
    )


def test_a_slash_and_a_mention_are_explicit_and_a_bare_word_is_not() -> None:
    assert heard("/我的 车", "group").explicit
    assert heard("/我的 车", "group").verb is Verb.MINE
    assert heard("@联企 我的", "group").explicit
    assert not heard("我的", "private").explicit
    assert not heard("我的", "reply").explicit


def test_the_word_is_told_as_it_was_written() -> None:
    assert heard("／Appeal 停电", "group").word == "Appeal"
    assert heard("举报：有人收费", "private").word == "举报"


def test_rest_keeps_the_numbers_that_text_leaves_out() -> None:
    spoken = heard("融资 500 万，一年期", "private")
    assert (spoken.numbers, spoken.text, spoken.rest) == (("500",), "万，一年期", "500 万，一年期")


def test_a_joined_emoji_stays_whole() -> None:
    assert heard("诉求 谢谢👨\u200d👩\u200d👧", "group").text == "谢谢👨\u200d👩\u200d👧"


def test_every_word_of_every_verb_is_a_command_alone_and_behind_a_slash() -> None:
    for word, verb in WORDS.items():
        for where in ("group", "private"):
            assert heard(word, where).verb is verb
            assert heard(f"/{word}", where).verb is verb
            assert heard(f"／{word.upper()}@lianqi_bot", where).verb is verb


PIECES = st.one_of(
    st.sampled_from([*WORDS, *NAMES, "@", "＠", "/", "／", "#", "号", "LQ-2026-00012", "M-7K3Q9X"]),
    st.sampled_from(["\u200b", "\u200d", "\u202e", " ", "\u3000", "\n", "：", "，", "１２", "İ", "👨"]),
    st.text(max_size=6),
)
LINES = st.lists(PIECES, max_size=10).map("".join)
PLACES = st.sampled_from(["group", "private", "reply"])


@given(LINES, PLACES)
def test_any_line_can_be_read_and_nothing_is_made_up(text: str, where: str) -> None:
    spoken = heard(text, where)
    assert len(spoken.text) <= len(spoken.rest) <= len(text)
    assert len(spoken.word) <= len(text)
    assert all(number and number[0] != "0" for number in spoken.numbers)
    assert spoken.verb is None or spoken.word


@given(LINES, PLACES)
def test_the_width_of_the_letters_makes_no_difference(text: str, where: str) -> None:
    wide, narrow = heard(text, where), heard(fold(text), where)
    assert (wide.verb, wide.numbers, wide.explicit) == (narrow.verb, narrow.numbers, narrow.explicit)
    assert fold(wide.text) == narrow.text
    assert fold(fold(text)) == fold(text)
