"""The desk card stands alone: code, picture, three lines, nothing fetched from anywhere."""

import base64
import re
from dataclasses import replace

from bot.cards import invite_card
from reports.cards import DeskCard, desk_card, invite_link
from tests.making import civil, make_rules
from texts import Catalogue


def card(name: str = "宏达机械", start_link: str = "") -> str:
    return invite_card(
        Catalogue.load(strict=True),
        replace(make_rules(), park="示范园区"),
        name=name,
        code="K7QF-3M9T-X2",
        until=civil("2026-03-18 10:00"),
        public_url="https://park.example/",
        start_link=start_link,
    )


def test_a_card_says_whose_it_is_how_to_use_it_and_until_when() -> None:
    page = card()
    for words in ("宏达机械", "示范园区", "K7QF-3M9T-X2", "诉求 车间电压低", "您不确认，不销号", "3月18日（周三）"):
        assert words in page
    assert page.count("<li>") == 3


def test_where_there_is_a_telegram_bot_the_card_leads_to_it_as_well() -> None:
    assert "Telegram" not in card()
    page = card(start_link="https://t.me/lianqi_bot")
    assert 'alt="https://t.me/lianqi_bot?start=K7QF-3M9T-X2"' in page
    assert page.count("data:image/svg") == 2


def test_a_card_carries_its_picture_and_fetches_nothing() -> None:
    page = card()
    picture = re.search(r'src="data:image/svg\+xml;base64,([^"]+)"', page)
    assert picture is not None
    assert b"<svg" in base64.b64decode(picture[1])
    assert re.findall(r'(?:src|href)="(?!data:)', page) == []
    assert "<script" not in page


def test_a_firms_name_cannot_become_markup() -> None:
    page = desk_card(DeskCard("x", '<img onerror="x">&', ("<b>",), '"', invite_link("http://x", '"><b>')))
    assert "<img onerror" not in page
    assert "<b>" not in page


def test_the_link_carries_the_code_as_the_join_page_reads_it() -> None:
    assert invite_link("https://park.example/", "K7QF-3M9T-X2") == "https://park.example/join?code=K7QF-3M9T-X2"
