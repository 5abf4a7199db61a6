"""Pages about a paper: what scholarly sites say in `citation_*` tags, and arXiv's abstracts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.etree import _Element

from core.web.blocks import Block, tidy

_DATE = re.compile(r"(\d{4})(?:[-/](\d{1,2}))?(?:[-/](\d{1,2}))?")
_ABSTRACT_KEYS = ("citation_abstract", "dc.description", "dcterms.abstract")


@dataclass(frozen=True, slots=True)
class Citation:
    title: str
    author: str | None
    date: str | None
    abstract: str | None
    tags: tuple[str, ...]


def citation_in(tree: _Element) -> Citation | None:
    """What a page says of the paper it is about; None where it is about none."""
    said: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        key = (meta.get("name") or meta.get("property") or "").lower()
        value = tidy(meta.get("content") or "").replace("\n", " ")
        if value and key.startswith(("citation_", "dc.", "dcterms.")):
            said.setdefault(key, []).append(value[:20_000])
    if "citation_title" not in said:
        return None
    dates = said.get("citation_date") or said.get("citation_publication_date") or [""]
    words = said.get("citation_keywords", [])
    return Citation(
        title=said["citation_title"][0][:500],
        author="; ".join(map(_turned, said.get("citation_author", [])))[:500] or None,
        date=_date(dates[0]),
        abstract=next((said[key][0] for key in _ABSTRACT_KEYS if key in said), None),
        tags=tuple(
            tag.strip() for entry in words for tag in re.split("[;,]", entry) if tag.strip()
        ),
    )


def is_arxiv_abstract(url: str) -> bool:
    parts = urlsplit(url)
    return parts.netloc in {"arxiv.org", "www.arxiv.org"} and parts.path.startswith("/abs/")


def arxiv_abstract(tree: _Element) -> list[Block]:
    """The abstract that the page shows, without its label."""
    for node in tree.iter("blockquote"):
        if "abstract" in node.get("class", "").split():
            text = tidy("".join(node.itertext())).replace("\n", " ")
            return [Block("paragraph", re.sub(r"^Abstract:\s*", "", text))]
    return []


def arxiv_subjects(tree: _Element) -> tuple[str, ...]:
    for node in tree.iter("td"):
        if "subjects" in node.get("class", "").split():
            named = tidy("".join(node.itertext())).split(";")
            return tuple(re.sub(r"\s*\([^)]*\)$", "", name.strip()) for name in named)
    return ()


def _turned(name: str) -> str:
    """ "Vaswani, Ashish" as people say it."""
    last, comma, first = name.partition(",")
    return f"{first.strip()} {last.strip()}" if comma else name


def _date(text: str) -> str | None:
    found = _DATE.search(text)
    return "-".join(f"{int(part):02}" for part in found.groups() if part) if found else None
