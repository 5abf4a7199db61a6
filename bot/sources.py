"""What a person names on the command line — a link, a file, standard input — as an article."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import BinaryIO, cast

from pydantic import ValidationError

from bot.mistakes import in_words
from core.article import Article, Page
from core.errors import BadArticle, BadLink, EmptyArticle, PageTooLarge
from core.ports import Extract
from core.web.answers import MARKDOWN, PLAIN, kind_of

STDIN = "-"
JSON = "application/json"


class NoSuchFile(BadLink):
    """Something that reads like a file and is none."""

    code = "no_file"


Read = Callable[[str], Awaitable[Article]]

_BY_SUFFIX = {
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".pdf": "application/pdf",
    ".md": "text/markdown",
    ".markdown": "text/markdown",
    ".txt": "text/plain",
}


async def article_from(
    target: str, read: Read, extract: Extract, *, max_bytes: int, url: str | None = None
) -> Article:
    """`url` is where a file or standard input came from, if that is known."""
    if target == STDIN:
        body = await asyncio.to_thread(_whole, cast(BinaryIO, sys.stdin.buffer), STDIN, max_bytes)
        return await asyncio.to_thread(article_in, body, "", url, extract)
    if not await asyncio.to_thread(_is_file, target):
        return await read(_as_link(target))
    body = await asyncio.to_thread(_file, Path(target), max_bytes)
    return await asyncio.to_thread(article_in, body, target, url, extract)


def article_in(body: bytes, name: str, url: str | None, extract: Extract) -> Article:
    """The article in the bytes of a file: JSON in the input contract, or a page."""
    if not body.strip():
        raise EmptyArticle(name or STDIN)
    kind = content_type(body, name)
    if kind == JSON:
        article = article_of_json(body, name or STDIN)
        return article.model_copy(update={"url": url}) if url else article
    found = extract(Page(url=url or "", body=body, content_type=kind))
    return found.model_copy(update={"url": url})


def content_type(body: bytes, name: str) -> str:
    """By the name and by what the bytes say. Raises UnsupportedType for what is no text."""
    suffix = Path(name).suffix.lower()
    if suffix == ".json" or (not name and _looks_like_article(body)):
        return JSON
    kind = kind_of(name, _BY_SUFFIX.get(suffix, ""), body[:1024])
    # Piped text may have headings and code; read as Markdown nothing of it is lost.
    return MARKDOWN if kind == PLAIN and not name else kind


def _looks_like_article(body: bytes) -> bool:
    return body[:64].lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") and b'"content"' in body


def article_of_json(text: bytes, subject: str) -> Article:
    """Raises BadArticle with every field that is not in the contract."""
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadArticle(subject, "is not valid JSON") from error
    if not isinstance(values, dict):
        raise BadArticle(subject, "is not an object with fields")
    return article_of(values, subject)


def article_of(values: dict[str, object], subject: str) -> Article:
    try:
        return Article.model_validate(values)
    except ValidationError as error:
        wrong = (
            f"{'.'.join(map(str, one['loc']))} {in_words(dict(one))}" for one in error.errors()
        )
        raise BadArticle(subject, "; ".join(wrong)) from error


def _as_link(target: str) -> str:
    """What ends like a file was meant as one: nobody wants `notes.md` looked up on the web."""
    if Path(target).suffix.lower() in {*_BY_SUFFIX, ".json"} and "://" not in target:
        raise NoSuchFile(target, "there is no such file")
    return target


def _is_file(target: str) -> bool:
    try:
        return Path(target).is_file()
    except (OSError, ValueError):  # too long for a path, or a NUL in it
        return False


def _file(path: Path, max_bytes: int) -> bytes:
    with path.open("rb") as file:
        return _whole(file, str(path), max_bytes)


def _whole(file: BinaryIO, subject: str, max_bytes: int) -> bytes:
    body = file.read(max_bytes + 1)
    if len(body) > max_bytes:
        raise PageTooLarge(subject, f"more than {max_bytes} bytes")
    return body
