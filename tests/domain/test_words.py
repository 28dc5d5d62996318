"""What people write, made fit to be kept and told: telephone numbers, what nobody sees, what would call somebody."""

import pytest

from domain.words import (
    MOST_MARKS,
    MOST_NAME,
    between_signs,
    cleaned,
    quieted,
    shown_file,
    shown_name,
    title_of,
    without_phones,
)


@pytest.mark.parametrize(
    "written,shown",
    [
        ("车间停电 13912345678", "车间停电 139****78"),
        ("139-1234-5678张总", "139****78张总"),
        ("139 1234 5678", "139****78"),
        ("１３９１２３４５６７８", "１３９****７８"),
        ("座机0871-61234567", "座机087****67"),
        ("停电3次，2026年3月", "停电3次，2026年3月"),
        ("户号 2139123456789", "户号 2139123456789"),
        ("", ""),
    ],
)
def test_a_telephone_number_is_made_unreadable_and_nothing_else(written: str, shown: str) -> None:
    assert without_phones(written) == shown

@pytest.mark.parametrize(
    "written,kept",
    [
        ("  停电\r\n三天\r又停 ", "停电\n三天\n又停"),
        ("停电\u2028三天\u2029又停\x85再停\x0b了", "停电\n三天\n又停\n再停\n了"),
        ("停\u202e电\u2066三\u200b天\u00ad\u200c\u200d", "停电三天"),
        ("停\u3164电\u115f\u2800\ufffc", "停电"),
        ("停\x00电\ud800\ue000\x1b", "停电"),
        ("👨‍👩‍👧 👍🏽 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇨🇳", "👨‍👩‍👧 👍🏽 ❤️ 1️⃣ 🏴󠁧󠁢󠁥󠁮󠁧󠁿 🇨🇳"),
        ("停\U000e0041电", "停电"),
        ("e" + "\u0301" * 50 + "电", "e" + "\u0301" * MOST_MARKS + "电"),
        ("ế ก้ำ", "ế ก้ำ"),
    ],
)
def test_what_nobody_sees_is_not_kept(written: str, kept: str) -> None:
    assert cleaned(written) == kept
    assert cleaned(kept) == kept


@pytest.mark.parametrize(
    "written,told",
    [
        ("@all 快看", "＠all 快看"),
        ("找 @王敏", "找 ＠王敏"),
        ("<@User1>", "<＠User1>"),
        ("zhang@example.cn", "zhang@example.cn"),
        ("/accept 和 /接单", "／accept 和 ／接单"),
        ("3/4 与 a/b", "3/4 与 a/b"),
        ("tg://user?id=1", "tg：//user?id=1"),
        ("TG://resolve?domain=durov", "TG：//resolve?domain=durov"),
        ("看 https://a.cn/b/c?x=1", "看 https://a.cn/b/c?x=1"),
        ("https://a.cn/?x=/resolve,@durov", "https://a.cn/?x=%2Fresolve,%40durov"),
        ("@ 我说一声", "@ 我说一声"),
    ],
)
def test_what_is_repeated_calls_nobody_and_can_not_be_pressed(written: str, told: str) -> None:
    assert quieted(written) == told
    assert quieted(told) == told


@pytest.mark.parametrize(
    "name,shown",
    [
        ("王敏", "王敏"),
        (" 王\n敏\u202e ", "王 敏"),
        ("", ""),
        ("名" * 100, "名" * MOST_NAME),
        ("👨‍👩‍👧" * 30, "👨‍👩‍👧" * 12),
    ],
)
def test_a_name_stands_on_one_line(name: str, shown: str) -> None:
    assert shown_name(name) == shown


@pytest.mark.parametrize("sign", ["👨‍👩‍👧‍👦", "🇨🇳", "e\u0301", "👍🏽", "1️⃣", "电", "🏴󠁧󠁢󠁥󠁮󠁧󠁿"])
def test_no_sign_is_cut_in_two(sign: str) -> None:
    text = sign * 20
    for end in range(len(sign), len(text) + 1):
        assert between_signs(text, end) % len(sign) == 0


def test_a_title_ends_between_two_signs() -> None:
    assert title_of("👨‍👩‍👧" * 9) == "👨‍👩‍👧" * 4 + "…"


@pytest.mark.parametrize(
    "name,shown",
    [
        ("照片.jpg", "照片.jpg"),
        ("报" * 100 + ".docx", "报" * 59 + ".docx"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\x\\照片.jpg", "照片.jpg"),
        ("a\u202egpj.exe", "agpj.exe"),
        ('a"b\r\nSet-Cookie: x', "a'b Set-Cookie: x"),
        ("...", "file"),
        ("", "file"),
    ],
)
def test_a_file_is_called_by_a_name_only_and_keeps_its_ending(name: str, shown: str) -> None:
    assert shown_file(name) == shown
