"""Long texts in Telegram's pieces: counted in UTF-16, cut where a reader would cut, nobody's name cut in two."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram.wording import MOST_TEXT, Mark, Piece, length, split

TEXTS = st.text(st.sampled_from("电压低。，；\n A😀𠮷é"), max_size=300)
LIMITS = st.integers(2, 40)


def bare(text: str) -> str:
    """A text without its blank space."""
    return re.sub(r"\s+", "", text)


@given(TEXTS, LIMITS)
def test_no_piece_is_longer_than_telegram_takes_and_none_is_blank(text: str, most: int) -> None:
    for piece in split(text, most=most):
        assert 0 < len(piece.text.encode("utf-16-le")) // 2 <= most
        assert piece.text.strip() == piece.text


@given(TEXTS, LIMITS)
def test_nothing_but_blank_space_is_lost(text: str, most: int) -> None:
    assert bare("".join(piece.text for piece in split(text, most=most))) == bare(text)


@given(st.data())
def test_a_name_is_marked_whole_in_one_piece(data: st.DataObject) -> None:
    before, after = data.draw(TEXTS), data.draw(TEXTS)
    name = data.draw(st.text(st.sampled_from("@王敏😀"), min_size=1, max_size=6))
    text = f"{before}{name}{after}"
    mark = Mark(len(before), len(before) + len(name), "5001")
    marked = [piece for piece in split(text, [mark], most=data.draw(st.integers(14, 60))) if piece.marks]
    assert len(marked) == 1
    (kept,) = marked[0].marks
    assert marked[0].text[kept.start : kept.end] == name


@given(TEXTS)
def test_lengths_are_those_of_utf_16(text: str) -> None:
    assert length(text) == len(text.encode("utf-16-le")) // 2


@pytest.mark.parametrize(
    "text, pieces",
    [
        ("第一段。\n\n第二段，有几句。还有。", ["第一段。", "第二段，有几句。", "还有。"]),
        ("一行很短\n第二行也短\n三", ["一行很短\n第二行也短", "三"]),
        ("没有停顿的一长串字没有停顿的一长串字", ["没有停顿的一长串字没", "有停顿的一长串字"]),
        ("😀😀😀😀😀😀😀", ["😀😀😀😀😀", "😀😀"]),
        ("短", ["短"]),
        ("  \n ", []),
        ("", []),
    ],
)
def test_it_is_cut_where_a_reader_would_cut(text: str, pieces: list[str]) -> None:
    assert [piece.text for piece in split(text, most=10)] == pieces


def test_a_whole_message_fits_to_the_last_unit() -> None:
    assert len(split("电" * MOST_TEXT)) == 1
    assert len(split("电" * (MOST_TEXT + 1))) == 2


def test_telegram_is_told_of_a_mark_in_its_own_units() -> None:
    (entity,) = Piece("😀😀 @王敏 您好", (Mark(3, 6, "5001"),)).entities
    assert (entity.type, entity.offset, entity.length) == ("text_mention", 5, 3)
    assert entity.user is not None
    assert (entity.user.id, entity.user.first_name) == (5001, "王敏")


def between(text: str, pieces: list[Piece]) -> list[str]:
    """What of a text stands before, between and after its pieces; they must come in order."""
    gaps, at = [], 0
    for piece in pieces:
        found = text.index(piece.text, at)
        gaps.append(text[at:found])
        at = found + len(piece.text)
    return [*gaps, text[at:]]


@given(TEXTS, LIMITS)
def test_the_pieces_are_the_text_itself_in_its_order(text: str, most: int) -> None:
    assert all(not gap.strip() for gap in between(text, split(text, most=most)))


@given(st.data())
def test_a_name_too_long_for_any_piece_is_still_marked_to_its_last_character(data: st.DataObject) -> None:
    before, after = data.draw(TEXTS), data.draw(TEXTS)
    name = data.draw(st.text(st.sampled_from("@王敏😀"), min_size=20, max_size=60))
    mark = Mark(len(before), len(before) + len(name), "5001")
    pieces = split(f"{before}{name}{after}", [mark], most=data.draw(st.integers(2, 15)))
    assert "".join(piece.text[each.start : each.end] for piece in pieces for each in piece.marks) == name


@given(st.data())
def test_what_telegram_is_told_covers_the_very_words(data: st.DataObject) -> None:
    texts = [data.draw(TEXTS) for _ in range(3)]
    names = ["@王 敏。", "@张😀，建国"]
    text = f"{texts[0]}{names[0]}{texts[1]}{names[1]}{texts[2]}"
    first, second = len(texts[0]), len(texts[0]) + len(names[0]) + len(texts[1])
    marks = [Mark(first, first + len(names[0]), "1"), Mark(second, second + len(names[1]), "2")]
    told = []
    for piece in split(text, marks, most=data.draw(st.integers(12, 60))):
        units = piece.text.encode("utf-16-le")
        for entity in piece.entities:
            covered = units[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")
            assert entity.user is not None
            told.append((covered, entity.user.id, entity.user.first_name))
    assert told == [(names[0], 1, "王 敏。"), (names[1], 2, "张😀，建国")]


@pytest.mark.parametrize(
    "text", ["电" * 20_000, "😀" * 20_000, "x\n" * 10_000, "\n" * 20_000, "。" * 9_000, "a " * 9_000]
)
def test_awkward_texts_come_to_an_end_and_lose_nothing(text: str) -> None:
    pieces = split(text)
    assert all(0 < length(piece.text) <= MOST_TEXT for piece in pieces)
    assert bare("".join(piece.text for piece in pieces)) == bare(text)


def test_a_piece_is_at_least_half_full_so_that_a_long_text_makes_few_messages() -> None:
    pieces = split("短。\n\n" + "没有停顿" * 3000)
    assert all(length(piece.text) >= MOST_TEXT // 2 for piece in pieces[:-1])
