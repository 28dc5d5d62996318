"""Office papers as Word files: what is to stand on them in, bytes out; what people wrote is always plain text."""

import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import docx
import segno
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml.ns import qn
from docx.shared import Cm, Pt
from docx.text.paragraph import Paragraph

# Page and type as offices set them (GB/T 9704-2012): A4, 小标宋 for the title, 仿宋 for the text.
TITLE_FONT, TEXT_FONT, HEAD_FONT = "方正小标宋简体", "仿宋", "黑体"
TITLE_SIZE, TEXT_SIZE, TABLE_SIZE = 22, 16, 12
_LABEL_WIDTH, _VALUE_WIDTH = Cm(3.6), Cm(12.0)
_PADDING = Pt(3)
# Characters that XML cannot hold, and those that turn the reading direction round so that a text lies.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


@dataclass(frozen=True, slots=True)
class Paper:
    """What stands on a paper, from top to bottom; whatever is empty is left out.

    `rows` and `history` are tables of (label, value), `history` under its heading. `signed` stands at the right, below.
    `slip` is a second table that is torn off and sent back, below `slip_title`; `link` stands there as an address and a
    QR code.
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


def build(paper: Paper) -> bytes:
    """The paper as a .docx file."""
    file = _page()
    _line(file, paper.title, TITLE_FONT, TITLE_SIZE, WD_ALIGN_PARAGRAPH.CENTER)
    _line(file, paper.number, TEXT_FONT, TABLE_SIZE, WD_ALIGN_PARAGRAPH.RIGHT)
    if paper.addressee:
        _line(file, paper.addressee, TEXT_FONT, TEXT_SIZE)
    _say(file, paper.opening)
    _table(file, paper.rows)
    if paper.history:
        _line(file, paper.history_title, HEAD_FONT, TABLE_SIZE)
        _table(file, paper.history)
    _say(file, paper.closing)
    for line in paper.signed:
        _line(file, line, TEXT_FONT, TEXT_SIZE, WD_ALIGN_PARAGRAPH.RIGHT)
    if paper.slip:
        _tear_off(file, paper)
    content = io.BytesIO()
    file.save(content)
    return content.getvalue()


def _page() -> Document:
    file = docx.Document()
    section = file.sections[0]
    section.page_width, section.page_height = Cm(21), Cm(29.7)
    section.top_margin, section.bottom_margin = Cm(2.8), Cm(2.5)
    section.left_margin, section.right_margin = Cm(2.7), Cm(2.6)
    file.core_properties.author = ""
    file.core_properties.comments = ""
    return file


def _line(file: Document, text: str, font: str, size: int, align: WD_ALIGN_PARAGRAPH | None = None) -> Paragraph:
    paragraph = file.add_paragraph()
    if align is not None:
        paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(4)
    _write(paragraph, text, font, size)
    return paragraph


def _say(file: Document, lines: Sequence[str]) -> None:
    """Paragraphs of the text, each indented by two characters as Chinese papers do."""
    for line in lines:
        paragraph = _line(file, line, TEXT_FONT, TEXT_SIZE)
        paragraph.paragraph_format.first_line_indent = Pt(2 * TEXT_SIZE)


def _write(paragraph: Paragraph, text: str, font: str, size: int) -> None:
    """One run: line breaks stay, nothing in the text can become anything but text."""
    run = paragraph.add_run(_UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    run.font.size = Pt(size)
    run.font.name = font
    properties = run.font.element.get_or_add_rPr()  # the library sets the Latin font only
    properties.get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _table(file: Document, rows: Sequence[tuple[str, str]]) -> None:
    table = file.add_table(rows=0, cols=2, style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, (_LABEL_WIDTH, _VALUE_WIDTH), strict=True):
        column.width = width
    for label, value in rows:
        cells = table.add_row().cells
        for cell, text, width, font in (
            (cells[0], label, _LABEL_WIDTH, HEAD_FONT),
            (cells[1], value, _VALUE_WIDTH, TEXT_FONT),
        ):
            cell.width = width
            cell.paragraphs[0].paragraph_format.space_before = _PADDING
            cell.paragraphs[0].paragraph_format.space_after = _PADDING
            _write(cell.paragraphs[0], text, font, TABLE_SIZE)
    file.add_paragraph().paragraph_format.space_after = Pt(0)


def _tear_off(file: Document, paper: Paper) -> None:
    """The part that comes back, below a dashed line."""
    _line(file, "- " * 34, TEXT_FONT, TABLE_SIZE, WD_ALIGN_PARAGRAPH.CENTER)
    _line(file, paper.slip_title, TITLE_FONT, TEXT_SIZE, WD_ALIGN_PARAGRAPH.CENTER)
    _table(file, paper.slip)
    if not paper.link:
        return
    _line(file, paper.link_words, TEXT_FONT, TABLE_SIZE)
    picture = io.BytesIO()
    segno.make(paper.link, error="m").save(picture, kind="png", scale=4)
    picture.seek(0)
    file.add_picture(picture, width=Cm(3))
