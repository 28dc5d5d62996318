"""Puts a desk card together: the sentences of texts/, the code and its link."""

from __future__ import annotations

from datetime import datetime, tzinfo

from domain.said import Said
from reports.cards import DeskCard, desk_card, invite_link
from texts import Catalogue, render


def invite_card(
    catalogue: Catalogue,
    *,
    park: str,
    name: str,
    code: str,
    until: datetime,
    public_url: str,
    language: str,
    zone: tzinfo,
) -> str:
    """The page for `lianqi invite --out`: `name` is the firm, person or group, `until` the end of the code's life."""

    def say(said: Said) -> str:
        return render(catalogue, said, language, zone)

    card = DeskCard(
        heading=say(Said("card.heading", {"park": park})),
        name=name,
        lines=(say(Said("card.scan", {"code": code})), say(Said("card.say")), say(Said("card.rate"))),
        code=code,
        link=invite_link(public_url, code),
        footer=say(Said("card.footer", {"until": until})),
        language=language,
    )
    return desk_card(card)
