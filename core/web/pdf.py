"""The text of a PDF: lines joined to paragraphs again, page furniture and word breaks mended.

A PDF knows glyphs at places, not paragraphs. What a reader sees at once has to be found again:
which lines are the running head, where a paragraph ends, which hyphen is only the line's.
The list of references is left out, because nothing of it can be digested; appendices stay.
"""

from __future__ import annotations

import re
import statistics
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import pypdfium2
from pypdfium2 import raw

from core.errors import ImageOnlyPdf, NothingToRead
from core.web.blocks import Block

SECONDS = 30.0  # for one document; a thousand pages take a few
_LETTERS_FOR_TEXT = 20  # fewer than that are a stamp on a scan
_EDGE_LINES = 2  # how many lines at the top and bottom of a page may be furniture

# PDFium may be called by one thread at a time.
_pdfium = threading.Lock()

_HYPHEN = re.compile(r"[-\u00ad\u2010\x02\ufffe]$")
_HEADING = re.compile(
    r"^(?:(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[IVX]{1,5}\.|[A-H](?:\.\d{1,2}){0,2}\.?|제\s*\d+\s*[장절])\s+)?"
    r"(?=[A-Z가-힣])(?:[^.!?]|\.(?=\w)){2,80}$"
)
_NUMBERED = re.compile(r"^(?:\d{1,2}(?:\.\d{1,2}){0,3}\.?|[IVX]{1,5}\.|제\s*\d+\s*[장절])\s+\S")
_KNOWN_HEADINGS = re.compile(
    r"^(?:abstract|introduction|background|related work|conclusions?|discussion|acknowledge?ments?|references|bibliography"
    r"|appendix|초록|요약|서론|결론|참고\s*문헌|부록)\W*$",
    re.IGNORECASE,
)
_REFERENCES = re.compile(
    r"^(?:\W*\d*\W*)(?:references|bibliography|참고\s*문헌)\W*$", re.IGNORECASE
)
_AFTER_REFERENCES = re.compile(
    r"^(?:appendix|supplement|[A-H](?:\.\d{1,2}|\.)?\s+[A-Z]|부록)", re.IGNORECASE
)
_PAGE_NUMBER = re.compile(r"^\W*(?:page\s*)?\d{1,4}(?:\s*(?:/|of)\s*\d{1,4})?\W*$", re.IGNORECASE)
_CONTENTS_LINE = re.compile(r"(?:\. ?){5,}\s*(?:\d{1,4}|[ivxl]{1,6})?$")
_BULLET = re.compile(r"^\s*[•‣◦▪●–]\s*")
_ARXIV = re.compile(r"arXiv:\d{4}\.\d{4,5}(?:v\d+)?\s+\[[\w.-]+\]\s+(\d{1,2}) (\w{3}) (\d{4})")
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NO_TITLE = re.compile(
    r"^(?:untitled|title|document\d*|slide ?\d*|microsoft (?:word|powerpoint)|\W*)$|\.(?:docx?|dvi|tex|pdf|indd|pptx?|hwp)$|^microsoft \w+ - ",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class PdfText:
    blocks: tuple[Block, ...]
    title: str | None
    author: str | None
    date: str | None
    is_paper: bool


def read_pdf(body: bytes, url: str) -> PdfText:
    """Raises ImageOnlyPdf without a text layer, NothingToRead for what cannot be opened."""
    with _pdfium:
        pages, metadata, large = _texts(body, url)
    if sum(char.isalnum() for page in pages for char in page) < _LETTERS_FOR_TEXT:
        raise ImageOnlyPdf(url, "it has pictures of text, but no text")
    stamp = next((found for page in pages[:1] if (found := _ARXIV.search(page))), None)
    lines = _without_furniture([_lines_of(page) for page in pages])
    title = _title(metadata.get("Title", ""), large)
    blocks = _blocks(
        [line for line in lines if not (_ARXIV.search(line) or _CONTENTS_LINE.search(line))]
    )
    blocks = _below(title, blocks)
    names = {
        block.text.strip(" .:0123456789").lower() for block in blocks if block.kind == "heading"
    }
    abstract = any("abstract" in page.lower() or "초록" in page for page in pages[:2])
    return PdfText(
        blocks=tuple(_without_references(blocks)),
        title=title,
        author=" ".join(metadata.get("Author", "").split())[:500] or None,
        date=_date(stamp),
        is_paper=stamp is not None or (abstract and not names.isdisjoint(_PAPER_HEADINGS)),
    )


_PAPER_HEADINGS = frozenset({"references", "bibliography", "참고문헌", "참고 문헌"})


# --- what PDFium says


def _texts(body: bytes, url: str) -> tuple[list[str], dict[str, str], str]:
    """The text of each page, the document's own metadata, the largest print of page one."""
    try:
        document = pypdfium2.PdfDocument(body)
    except pypdfium2.PdfiumError as error:
        locked = "password" in str(error).lower()
        why = "the PDF is locked with a password" if locked else "the PDF is damaged"
        raise NothingToRead(url, why) from error
    try:
        return _pages(document, url), document.get_metadata_dict(), _largest(document)
    except pypdfium2.PdfiumError as error:
        raise NothingToRead(url, "the PDF is damaged") from error
    finally:
        document.close()


def _pages(document: pypdfium2.PdfDocument, url: str) -> list[str]:
    until = time.monotonic() + SECONDS
    pages: list[str] = []
    for index in range(len(document)):
        if time.monotonic() > until:
            # half a document digested as if it were whole would be a lie
            raise NothingToRead(url, f"the PDF takes more than {SECONDS:g} s to read")
        page = document[index]
        text = page.get_textpage()
        pages.append(text.get_text_range(errors="replace"))
        text.close()
        page.close()
    return pages


def _largest(document: pypdfium2.PdfDocument) -> str:
    """What is printed largest in the upper part of the first page: the title, nearly always."""
    if len(document) == 0:
        return ""
    page = document[0]
    text = page.get_textpage()
    count = min(text.count_chars(), 1500)
    sizes = [round(raw.FPDFText_GetFontSize(text, index), 1) for index in range(count)]
    chars = [chr(raw.FPDFText_GetUnicode(text, index)) for index in range(count)]
    text.close()
    page.close()
    runs: list[tuple[float, str]] = []
    for size, char in zip(sizes, chars, strict=True):
        if char.isspace() and runs:
            runs[-1] = (runs[-1][0], runs[-1][1] + " ")
        elif runs and runs[-1][0] == size:
            runs[-1] = (size, runs[-1][1] + char)
        elif not char.isspace():
            runs.append((size, char))
    long = [(size, run) for size, run in runs if sum(c.isalpha() for c in run) >= 5]
    if not long or len({size for size, _ in long}) < 2:
        return ""
    return " ".join(max(long, key=lambda run: run[0])[1].split())[:300]


def _title(named: str, large: str) -> str | None:
    text = " ".join(named.split())[:300]
    if len(text) >= 4 and not _NO_TITLE.search(text):
        return text
    return large or None


def _date(stamp: re.Match[str] | None) -> str | None:
    if stamp is None or stamp[2].lower() not in _MONTHS:
        return None
    return f"{stamp[3]}-{_MONTHS.index(stamp[2].lower()) + 1:02}-{int(stamp[1]):02}"


# --- lines


def _lines_of(page: str) -> list[str]:
    # PDFium has taken the line end after a hyphen out and put its own sign there
    page = page.replace("\ufffe", "-\n")
    clean = page.replace("\r\n", "\n").replace("\r", "\n").replace("\x00", "")
    return [" ".join(line.split()) for line in clean.split("\n")]


def _without_furniture(pages: Sequence[list[str]]) -> list[str]:
    """All lines in a row, without running heads, running feet and page numbers."""
    edges = [_edges(page) for page in pages]
    counts = Counter(
        key
        for page, places in zip(pages, edges, strict=True)
        for key in {_faceless(page[place]) for place in places}
    )
    often = max(3, len(pages) // 3)
    return [
        line
        for page, places in zip(pages, edges, strict=True)
        for place, line in enumerate(page)
        if place not in places or not (_PAGE_NUMBER.match(line) or counts[_faceless(line)] >= often)
    ]


def _edges(page: list[str]) -> set[int]:
    """Where the first and the last lines of a page stand."""
    filled = [place for place, line in enumerate(page) if line]
    return {*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]}


def _faceless(line: str) -> str:
    return re.sub(r"\d+", "#", line).lower()


# --- paragraphs


def _blocks(lines: list[str]) -> list[Block]:
    lengths = [len(line) for line in lines if len(line) > 20]
    width = statistics.quantiles(lengths, n=4)[2] if len(lengths) > 1 else 80.0
    blocks: list[Block] = []
    open_lines: list[str] = []
    for line, after in zip(lines, [*lines[1:], ""], strict=False):
        if _is_heading(line, open_lines, width) and not _goes_on(line, after):
            blocks += _closed(open_lines)
            blocks.append(Block("heading", line, 2))
            open_lines = []
            continue
        if not line or _BULLET.match(line):
            blocks += _closed(open_lines)
            open_lines = []
        if line:
            open_lines.append(line)
            if len(line) < 0.8 * width and line.endswith((".", "!", "?", ":", "”", ".)")):
                blocks += _closed(open_lines)
                open_lines = []
    return [*blocks, *_closed(open_lines)]


def _is_heading(line: str, before: Sequence[str], width: float) -> bool:
    if _KNOWN_HEADINGS.match(line):
        return True
    if len(line) > 0.8 * width or not _NUMBERED.match(line) or not _HEADING.match(line):
        return False
    return not before or before[-1].endswith((".", "!", "?", ":")) or len(before[-1]) < 0.6 * width


def _goes_on(line: str, after: str) -> bool:
    return bool(after) and after[0].islower() and not _KNOWN_HEADINGS.match(line)


def _closed(lines: Sequence[str]) -> Iterator[Block]:
    text = _joined(lines)
    if text:
        bullet = _BULLET.match(text)
        yield Block("item", text[bullet.end() :]) if bullet else Block("paragraph", text)


def _joined(lines: Sequence[str]) -> str:
    text = ""
    for line in lines:
        if text and _HYPHEN.search(text):
            # "trans-" + "former" is one word; "GPT-" + "4" and "Self-" + "Attention" are not
            real = text[-1] in "-‐" and not (line[0].islower() and text[-2:-1].islower())
            text = text + line if real else text[:-1] + line
        else:
            text = f"{text} {line}" if text else line
    return re.sub(r"[\x00-\x08\x0b-\x1f\ufffe\uffff]", "", text).strip()


def _below(title: str | None, blocks: list[Block]) -> list[Block]:
    """Without the title where the text begins with it."""
    if title and blocks and blocks[0].text.lower().startswith(title.lower()):
        rest = blocks[0].text[len(title) :].strip()
        return [*([Block("paragraph", rest)] if rest else []), *blocks[1:]]
    return blocks


def _without_references(blocks: Sequence[Block]) -> Iterator[Block]:
    half = len(blocks) // 2
    inside = False
    for index, block in enumerate(blocks):
        if block.kind == "heading" and _REFERENCES.match(block.text) and index >= half:
            inside = True
        elif inside and _AFTER_REFERENCES.match(block.text) and block.kind == "heading":
            inside = False
        if not inside:
            yield block
