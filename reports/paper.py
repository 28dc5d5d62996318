"""What stands on an office paper, before it is set as a Word file."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a paper, from top to bottom; whatever is empty is left out.

    `rows` and `history` are tables of (label, value), `history` under its heading. `signed` stands at the right, below.
    `slip` is a second table that is torn off and sent back, below `slip_title`, with `link_words` on how; `link` stands
    there as a QR code. A `compact` paper is set closer, so that it stays on one page.
    """

    title: str
    number: str
    addressee: str = ""
    opening: Sequence[str] = ()
    rows: Sequence[tuple[str, str]] = ()
    history_title: str = ""
    history: Sequence[tuple[str, str]] = ()
    closing: Sequence[str] = ()
    signed: Sequence[str] = ()
    slip_title: str = ""
    slip: Sequence[tuple[str, str]] = ()
    link: str = ""
    link_words: str = ""
    compact: bool = False


def slip_link(public_url: str, code: str) -> str:
    """The address by which an outside unit answers."""
    return f"{public_url.rstrip('/')}/slip/{quote(code, safe='-')}"
