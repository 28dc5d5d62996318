"""The desk card of a firm: a page to print, fold and put up, with the code and its QR picture."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from html import escape
from urllib.parse import quote

import segno

_STYLE = """
@page { size: A5 landscape; margin: 10mm }
body { margin: 0; font-family: "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif; color: #1c2733 }
main { display: grid; grid-template-columns: 1fr 62mm; gap: 8mm; align-items: center; padding: 8mm;
  border: 0.6mm solid #1f4e79; border-radius: 4mm; min-height: 108mm; box-sizing: border-box }
h1 { font-size: 15pt; margin: 0 0 2mm; color: #1f4e79; font-weight: 600 }
h2 { font-size: 24pt; margin: 0 0 6mm; overflow-wrap: anywhere }
ol { margin: 0; padding-left: 6mm; font-size: 13pt; line-height: 1.7 }
figure { margin: 0; text-align: center }
img { width: 60mm; height: 60mm; image-rendering: pixelated }
figcaption { font: 700 16pt "DejaVu Sans Mono", Consolas, monospace; letter-spacing: 0.04em }
.further { margin-top: 4mm }
.further img { width: 34mm; height: 34mm }
.further figcaption { font: 600 11pt sans-serif }
small { display: block; margin-top: 5mm; font-size: 10pt; color: #54616e }
"""


@dataclass(frozen=True, slots=True)
class DeskCard:
    """What stands on a card; all sentences are finished. `link` is what the QR picture leads to.

    `further` are other ways in, as (name of the way, link), each with a smaller picture of its own.
    """

    heading: str
    name: str
    lines: tuple[str, ...]
    code: str
    link: str
    footer: str = ""
    language: str = "zh"
    further: tuple[tuple[str, str], ...] = ()


def invite_link(public_url: str, code: str) -> str:
    """The page at which a code is redeemed; opening it changes nothing, only its form does."""
    return f"{public_url.rstrip('/')}/join?code={quote(code, safe='-')}"


def desk_card(card: DeskCard) -> str:
    """A page that needs nothing else: no script, no font, no picture from anywhere."""
    lines = "\n".join(f"<li>{escape(line)}</li>" for line in card.lines)
    title = escape(f"{card.heading} {card.name}")
    return f"""<!DOCTYPE html>
<html lang="{escape(card.language)}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{_STYLE}</style></head>
<body><main>
<section><h1>{escape(card.heading)}</h1><h2>{escape(card.name)}</h2>
<ol>
{lines}
</ol><small>{escape(card.footer)}</small></section>
<div>{_way_in(card.code, card.link)}
{"".join(_way_in(name, link, "further") for name, link in card.further)}</div>
</main></body></html>
"""


def _way_in(name: str, link: str, kind: str = "first") -> str:
    """A picture that leads there, with words under it."""
    picture = f'<img alt="{escape(link)}" src="{_picture(link)}">'
    return f'<figure class="{kind}">{picture}<figcaption>{escape(name)}</figcaption></figure>'


def _picture(link: str) -> str:
    """The QR code as a data address; error correction M stands a stain on the desk."""
    out = io.BytesIO()
    segno.make(link, error="m", micro=False).save(out, kind="svg", border=2, xmldecl=False, scale=4)
    return "data:image/svg+xml;base64," + base64.b64encode(out.getvalue()).decode()
