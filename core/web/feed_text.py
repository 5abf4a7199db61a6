"""Bytes of a feed as feedparser reads them best: one charset, nothing before the beginning, no
characters that XML forbids, and not more of it than anybody will look at."""

from __future__ import annotations

import codecs
import io
import itertools
import re
from dataclasses import dataclass
from typing import Any

import feedparser
from lxml import etree

from core.errors import NotAFeed
from core.web.charsets import decoded_as

MOST_ENTRIES = 300
_MOST_CHARACTERS = 3_000_000  # beyond that it is no feed but an archive; the newest are kept
# feedparser's parser for broken feeds takes the square of what is nested or never ends.
_MOST_TAGS, _MOST_BROKEN = 8_000, 1_000_000
_HUGE_TAG = re.compile(r"<([A-Za-z][\w:-]{0,40})[^<>]{20000,}>")
_ANGLES = re.compile(r"<{20,}")
_DECLARATION = re.compile(r"<\?xml\b[^>]{0,300}\?>", re.IGNORECASE)
_DECLARED = re.compile(r"encoding\s*=\s*[\"']([\w.:-]{1,40})[\"']", re.IGNORECASE)
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
_ENTRY_END = re.compile(r"</(?:[A-Za-z][\w.-]{0,20}:)?(item|entry)\s*>", re.IGNORECASE)
_ENTRY_START = re.compile(r"<(?:[A-Za-z][\w.-]{0,20}:)?(?:item|entry)[\s>]", re.IGNORECASE)
_DATE = re.compile(
    r"<(?:pubDate|published|updated|issued|modified|dc:date)\b[^>]{0,200}>\s*([^<]{4,64})<",
    re.IGNORECASE,
)
_CHARSET = re.compile(r"charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)
# What comes out of feedparser where its parsers meet something nobody thought of.
_STUMBLES = (
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    AssertionError,
    RecursionError,
    ArithmeticError,
)


@dataclass(frozen=True, slots=True)
class FeedText:
    """`charset`: what it was written in. `sound`: nothing had to be guessed or replaced."""

    text: str
    charset: str
    sound: bool


def text_of(body: bytes, content_type: str = "") -> FeedText:
    """The text of a feed. What its header and its XML line say is only believed if it fits."""
    header = _CHARSET.search(content_type)
    text, charset = decoded_as(body, header[1] if header else None)
    declaration = _DECLARATION.search(text[:2000])
    declared = _DECLARED.search(declaration[0]) if declaration else None
    claim = declared[1] if declared else "utf-8"
    fits = _reads(body, claim, text)
    sound = fits and "\ufffd" not in text
    return FeedText(text, claim.lower() if fits else _known_as(charset), sound)


def _known_as(codec: str) -> str:
    """A codec by the name under which the web knows it."""
    if codec.startswith("cp125"):
        return codec.replace("cp", "windows-")
    return {"big5": "Big5", "cp949": "EUC-KR"}.get(codec, codec.replace("_", "-").upper())


def _reads(body: bytes, charset: str, text: str) -> bool:
    """Whether a feed's own claim leads to the same text."""
    try:
        # A mark at the beginning overrules what is written behind it.
        plain = body.decode(codecs.lookup(charset).name).removeprefix("\ufeff")
    except (UnicodeError, LookupError):
        return charset.lower().startswith("utf") and body[:2] in {b"\xff\xfe", b"\xfe\xff"}
    return plain == text or _without_c1(plain) == _without_c1(text)


def _without_c1(text: str) -> str:
    """Latin-1 means Windows-1252: what the two read differently is no contradiction."""
    return re.sub("[\x80-\x9f\u0152-\u02dc\u2013-\u2122]", "", text)


def read(
    body: bytes, content_type: str = "", *, url: str = "", markup: bool = False
) -> dict[str, Any]:
    """What feedparser finds in it. With `markup` HTML is sanitised and its links are completed;
    without, it stays as it is (and may only be used as text). Raises NotAFeed."""
    found = text_of(body, content_type)
    text = _HUGE_TAG.sub(r"<\1>", _bounded(_repaired(found.text)))
    if not _is_well_formed(text):
        text = _tame(text)
    headers = {"content-type": "application/xml; charset=utf-8"}
    if url.isascii():
        headers["content-location"] = url
    try:
        result: dict[str, Any] = feedparser.parse(
            io.BytesIO(text.encode("utf-8", "replace")),
            response_headers=headers,
            sanitize_html=markup,
            resolve_relative_uris=markup,
        )
    except _STUMBLES as error:
        raise NotAFeed(url, "it cannot be read") from error
    result["encoding"] = found.charset
    result["bozo"] = bool(result.get("bozo")) or not found.sound
    return result


def _is_well_formed(text: str) -> bool:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        etree.fromstring(text.encode("utf-8", "replace"), parser)
    except (etree.LxmlError, ValueError):
        return False
    return True


def _tame(text: str) -> str:
    text = _ANGLES.sub("<", text[:_MOST_BROKEN])
    tags = itertools.islice(re.finditer("<", text), _MOST_TAGS, None)
    beyond = next(tags, None)
    return text if beyond is None else text[: beyond.start()]


def _repaired(text: str) -> str:
    """From its first tag on, without the XML line, whose charset holds no more."""
    text = _FORBIDDEN.sub("", text)
    declaration = _DECLARATION.search(text[:2000])
    if declaration:
        text = text[: declaration.start()] + text[declaration.end() :]
    start = text.find("<")
    return text[start:] if start > 0 else text


# --- not more than anybody looks at


def _bounded(text: str) -> str:
    """At most so many entries, the newest. Most feeds have them first, a few last."""
    ends = [match.end() for match in _ENTRY_END.finditer(text)]
    start = _ENTRY_START.search(text)
    if start is None or not ends or (len(ends) <= MOST_ENTRIES and len(text) <= _MOST_CHARACTERS):
        return text[:_MOST_CHARACTERS]
    head = text[: start.start()]
    ends = [end for end in ends if end > start.start()]
    bounds = [start.start(), *ends]
    if _oldest_first(text[bounds[0] : bounds[1]], text[bounds[-2] : bounds[-1]]):
        first = max(0, len(ends) - MOST_ENTRIES)
        while bounds[-1] - bounds[first] > _MOST_CHARACTERS and first < len(ends) - 1:
            first += 1
        return head + text[bounds[first] :]
    last = min(MOST_ENTRIES, len(ends))
    while bounds[last] - bounds[0] > _MOST_CHARACTERS and last > 1:
        last -= 1
    return (head + text[bounds[0] : bounds[last]])[: 2 * _MOST_CHARACTERS] + _closing(head)


def _oldest_first(first: str, last: str) -> bool:
    dates = []
    for entry in (first, last):
        written = _DATE.search(entry)
        date = feedparser.datetimes._parse_date(written[1].strip()) if written else None
        if date is None:
            return False
        dates.append(date)
    return bool(dates[0] < dates[1])


def _closing(head: str) -> str:
    """The ends of what was begun before the first entry and has not ended."""
    opened: list[str] = []
    for match in re.finditer(r"<(/?)([A-Za-z][\w.:-]{0,40})[^<>]*?(/?)>", head):
        closes, name, empty = match.groups()
        if closes and name in opened:
            del opened[len(opened) - 1 - opened[::-1].index(name) :]
        elif not closes and not empty:
            opened.append(name)
    return "".join(f"</{name}>" for name in reversed(opened))
