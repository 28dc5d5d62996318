"""Puts a desk card together: the sentences of texts/, the code and its link."""

from __future__ import annotations

from datetime import datetime

from domain.rules import Rules
from domain.said import Said
from reports.cards import DeskCard, desk_card, invite_link
from texts import Catalogue, render


def invite_card(
    catalogue: Catalogue,
    rules: Rules,
    *,
    name: str,
    code: str,
    until: datetime,
    public_url: str,
    start_link: str = "",
) -> str:
    """The page for `lianqi invite --out`: `name` is the firm, person or group, `until` the end of the code's life.

    `start_link` begins a private chat with the Telegram bot, where there is one.
    """

    def say(said: Said) -> str:
        return render(catalogue, said, rules.language, rules.calendar.zone)

    card = DeskCard(
        heading=say(Said("card.heading", {"park": rules.park})),
        name=name,
        lines=(say(Said("card.scan", {"code": code})), say(Said("card.say")), say(Said("card.rate"))),
        code=code,
        link=invite_link(public_url, code),
        footer=say(Said("card.footer", {"until": until})),
        language=rules.language,
        further=(("Telegram", f"{start_link}?start={code}"),) if start_link else (),
    )
    return desk_card(card)
