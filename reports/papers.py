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
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from reports.paper import Paper

# Page and type as offices set them (GB/T 9704-2012): A4, 小标宋 for the title, 仿宋 for the text.
TITLE_FONT, TEXT_FONT, HEAD_FONT = "方正小标宋简体", "仿宋", "黑体"
TITLE_SIZE = 22.0
_DASHES = "- " * 34


@dataclass(frozen=True, slots=True)
class Dress:
    """How a paper is set, in points: size of text and tables, room in a cell above and below, distance of lines in
    tables (None: as the font has it), widths of the two columns, margins above and below.
    """

    text: float
    table: float
    padding: float
    pitch: float | None
    columns: tuple[float, float]
    margins: tuple[float, float]


WIDE = Dress(16, 12, 3, None, (102, 340), (79, 71))
CLOSE = Dress(12, 10.5, 1, 13.5, (124, 318), (62, 56))
A4 = (595.3, 841.9)
SIDES = (76.5, 73.7)
_QR_WIDTH = 90.0
_LONGEST_PROPERTY = 255

# Characters that XML cannot hold, and those that turn the reading direction round so that a text lies.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)


def build(paper: Paper) -> bytes:
    """The paper as a .docx file."""
    dress = CLOSE if paper.compact else WIDE
    file = _page(paper.title, dress)
    _line(file, paper.title, TITLE_FONT, TITLE_SIZE, WD_ALIGN_PARAGRAPH.CENTER)
    _line(file, paper.number, TEXT_FONT, dress.table, WD_ALIGN_PARAGRAPH.RIGHT)
    if paper.addressee:
        _line(file, paper.addressee, TEXT_FONT, dress.text)
    _say(file, paper.opening, dress)
    _table(file, paper.rows, dress)
    if paper.history:
        _line(file, paper.history_title, HEAD_FONT, dress.table)
        _table(file, paper.history, dress)
    _say(file, paper.closing, dress)
    for line in paper.signed:
        _line(file, line, TEXT_FONT, dress.text, WD_ALIGN_PARAGRAPH.RIGHT)
    if paper.slip:
        _tear_off(file, paper, dress)
    content = io.BytesIO()
    file.save(content)
    return content.getvalue()


def _page(title: str, dress: Dress) -> Document:
    file = docx.Document()
    section = file.sections[0]
    section.page_width, section.page_height = Pt(A4[0]), Pt(A4[1])
    section.top_margin, section.bottom_margin = Pt(dress.margins[0]), Pt(dress.margins[1])
    section.left_margin, section.right_margin = Pt(SIDES[0]), Pt(SIDES[1])
    about = file.core_properties
    about.title, about.author, about.comments = _printable(title)[:_LONGEST_PROPERTY], "", ""
    _without_thumbnail(file)
    return file


def _without_thumbnail(file: Document) -> None:
    """The library's template brings a picture of an empty page along."""
    kept = file.part.package.rels
    for name in [name for name, relation in kept.items() if relation.reltype.endswith("/thumbnail")]:
        del kept[name]


def _line(file: Document, text: str, font: str, size: float, align: WD_ALIGN_PARAGRAPH | None = None) -> Paragraph:
    paragraph = file.add_paragraph()
    if align is not None:
        paragraph.alignment = align
    paragraph.paragraph_format.space_after = Pt(4)
    _write(paragraph, text, font, size)
    return paragraph


def _say(file: Document, lines: Sequence[str], dress: Dress) -> None:
    """Paragraphs of the text, each indented by two characters as Chinese papers do."""
    for line in lines:
        paragraph = _line(file, line, TEXT_FONT, dress.text)
        paragraph.paragraph_format.first_line_indent = Pt(2 * dress.text)


def _printable(text: str) -> str:
    return _UNPRINTABLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _write(paragraph: Paragraph, text: str, font: str, size: float) -> None:
    """One run: line breaks stay, nothing in the text can become anything but text."""
    run = paragraph.add_run(_printable(text))
    run.font.size = Pt(size)
    run.font.name = font
    properties = run.font.element.get_or_add_rPr()  # the library sets the Latin font only
    properties.get_or_add_rFonts().set(qn("w:eastAsia"), font)


def _table(file: Document, rows: Sequence[tuple[str, str]], dress: Dress) -> None:
    table = file.add_table(rows=0, cols=2, style="Table Grid")
    table.autofit = False
    for column, width in zip(table.columns, dress.columns, strict=True):
        column.width = Pt(width)
    for row in rows:
        cells = table.add_row().cells
        for cell, text, width, font in zip(cells, row, dress.columns, (HEAD_FONT, TEXT_FONT), strict=True):
            cell.width = Pt(width)
            _set_close(cell.paragraphs[0], dress)
            _write(cell.paragraphs[0], text, font, dress.table)
    after = file.add_paragraph().paragraph_format
    after.space_after = Pt(0)
    after.line_spacing = Pt(dress.table)


def _set_close(paragraph: Paragraph, dress: Dress) -> None:
    """Cells have little room above and below; where lines have a distance it is exact, whatever the font is."""
    shape = paragraph.paragraph_format
    shape.space_before = shape.space_after = Pt(dress.padding)
    if dress.pitch is not None:
        shape.line_spacing = Pt(dress.pitch)


def _tear_off(file: Document, paper: Paper, dress: Dress) -> None:
    """The part that comes back, below a dashed line."""
    _line(file, _DASHES, TEXT_FONT, dress.table, WD_ALIGN_PARAGRAPH.CENTER)
    _line(file, paper.slip_title, TITLE_FONT, dress.text, WD_ALIGN_PARAGRAPH.CENTER)
    _table(file, paper.slip, dress)
    if paper.link:
        _beside_picture(file, paper, dress)
    elif paper.link_words:
        _line(file, paper.link_words, TEXT_FONT, dress.table)


def _beside_picture(file: Document, paper: Paper, dress: Dress) -> None:
    """The link's picture with the words on it at its side, so that both stay on one page."""
    table = file.add_table(rows=1, cols=2)
    table.autofit = False
    for column, cell, width in zip(table.columns, table.rows[0].cells, dress.columns, strict=True):
        column.width = cell.width = Pt(width)
    picture, words = (cell.paragraphs[0] for cell in table.rows[0].cells)
    picture.add_run().add_picture(io.BytesIO(qr_code(paper.link)), width=Pt(_QR_WIDTH))
    _write(words, paper.link_words, TEXT_FONT, dress.table)


def qr_code(link: str) -> bytes:
    """An address as a picture (PNG) for a phone's camera."""
    picture = io.BytesIO()
    segno.make(link, error="m").save(picture, kind="png", scale=4)
    return picture.getvalue()
