"""What an answer of the web means: its kind of content, and what a failure's status says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from urllib.parse import urlsplit

from core.errors import (
    DigestError,
    FetchFailed,
    LoginWall,
    NotFound,
    ScriptWall,
    SiteUnavailable,
    UnsupportedType,
)

HTML, XHTML = "text/html", "application/xhtml+xml"
PDF, MARKDOWN, PLAIN = "application/pdf", "text/markdown", "text/plain"

_KINDS = {
    "text/html": HTML,
    "application/xhtml+xml": XHTML,
    "application/pdf": PDF,
    "application/x-pdf": PDF,
    "text/pdf": PDF,
    "text/markdown": MARKDOWN,
    "text/x-markdown": MARKDOWN,
    "text/plain": PLAIN,
    "text/x-rst": PLAIN,
}
# These say nothing about the content; its first bytes do.
_UNKNOWN = frozenset(
    {"", "application/octet-stream", "binary/octet-stream", "application/xml", "text/xml", "*/*"}
)
_MARKDOWN_NAMES = (".md", ".markdown", ".mdx")
_BOT_CHECK = re.compile(
    rb"<title>\s*Just a moment|cf[-_]chl|challenge-platform|_incapsula_resource|"
    rb"px-captcha|captcha-delivery\.com|awswafcookie|<title>\s*Attention Required",
    re.IGNORECASE,
)
_LOGIN = re.compile(rb"type=[\"']?password|<title>[^<]*(?:log ?in|sign ?in)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a feed's address answered: 304, or 2xx with a body.

    `url` is where its redirects ended, `lasting` where it is for good: as far as every redirect
    on the way was a permanent one. `max_age`: seconds for which the answer says it holds.
    """

    status: int
    url: str
    lasting: str
    body: bytes = field(default=b"", repr=False)
    content_type: str = ""
    etag: str | None = None
    last_modified: str | None = None
    max_age: float | None = None


def media_type(header: str) -> str:
    return header.split(";")[0].strip().lower()


def must_be_readable(url: str, header: str) -> None:
    """Raises UnsupportedType for what says itself that it is no text, before its body is read."""
    kind = media_type(header)
    if kind not in _KINDS and kind not in _UNKNOWN:
        raise UnsupportedType(url, f"it is {kind[:60]}")


def kind_of(url: str, header: str, start: bytes) -> str:
    """HTML, XHTML, PDF, MARKDOWN or PLAIN. The first bytes overrule a header that lies."""
    if start.lstrip()[:5] == b"%PDF-":
        return PDF
    if _is_binary(start):
        raise UnsupportedType(url, "it is a binary file")
    named = media_type(header)
    if named in _KINDS and _KINDS[named] != PDF:
        kind = _KINDS[named]
        return MARKDOWN if kind == PLAIN and _has_markdown_name(url) else kind
    return _sniffed(url, named, start)


def _sniffed(url: str, named: str, start: bytes) -> str:
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if re.match(rb"(<\?xml[^>]*>\s*)?(<!--.*?-->\s*)*<(!doctype html|html|head|body)", head, re.S):
        return XHTML if head.startswith(b"<?xml") else HTML
    if "xml" in named or head.startswith(b"<?xml"):
        raise UnsupportedType(url, "it is XML, not a page")
    if named == "application/pdf":
        raise UnsupportedType(url, "it says it is a PDF, but is none")
    if not start:
        return PLAIN
    return MARKDOWN if _has_markdown_name(url) else PLAIN


def _has_markdown_name(url: str) -> bool:
    return urlsplit(url).path.lower().endswith(_MARKDOWN_NAMES)


def _is_binary(start: bytes) -> bool:
    if start[:2] in {b"\xff\xfe", b"\xfe\xff"}:  # UTF-16 text
        return False
    return b"\x00" in start or start[:4] in {
        b"\x89PNG",
        b"GIF8",
        b"PK\x03\x04",
        b"\xff\xd8\xff\xe0",
    }


_MAX_AGE = re.compile(r"(?:^|[\s,])(?:max-age)\s*=\s*\"?(\d{1,9})", re.IGNORECASE)


def max_age(headers: Mapping[str, str]) -> float | None:
    """Seconds for which an answer holds by its Cache-Control, what it has aged on the way off."""
    control = headers.get("cache-control", "")
    found = _MAX_AGE.search(control)
    if found is None or "no-cache" in control.lower() or "no-store" in control.lower():
        return None
    age = headers.get("age", "").strip()
    return max(0.0, float(found[1]) - (float(age) if age.isascii() and age.isdigit() else 0.0))


# --- failures


def failure_of(url: str, status: int, headers: Mapping[str, str], start: bytes) -> DigestError:
    """The error for an answer that is no page."""
    if headers.get("cf-mitigated") == "challenge" or (
        status in {403, 429, 503} and _BOT_CHECK.search(start)
    ):
        return ScriptWall(url, "the site asks for proof of being human")
    if status in {404, 410}:
        return NotFound(url, f"the site answered {status}")
    if status in {401, 402} or (status == 403 and _LOGIN.search(start)):
        return LoginWall(url, f"the site answered {status}")
    if status == 403:
        return SiteUnavailable(url, "the site refuses (403)")
    if status == 429 or status >= 500:
        wish = retry_after(headers.get("retry-after", ""), datetime.now(UTC))
        return SiteUnavailable(url, f"the site answered {status}", retry_after=wish)
    return FetchFailed(url, f"the site answered {status}")


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds from a Retry-After, which is a number or a date."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        when = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = when if when.tzinfo is not None else when.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
