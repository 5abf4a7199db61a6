"""The article in a page, whatever kind of page it is.

    charset → HTML | PDF | Markdown | plain text → wall? too thin? → Article

`Extractor` is the port's side towards pages. What it makes is plain text: whatever a page
tries to say to a machine is for the reader of the text to see and for nobody to obey.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from lxml.etree import _Element

from core.article import Article, Language, Page, SourceType
from core.errors import EmptyArticle, NothingToRead, PageTooThin, UnsupportedType
from core.language import detect
from core.links import shown_address
from core.settings import WebSettings
from core.web.answers import HTML, MARKDOWN, PDF, PLAIN, XHTML
from core.web.blocks import Block, markdown_of, words_in
from core.web.charsets import decoded
from core.web.html import Found, found_in, parsed, size_of
from core.web.markdown import Text, read_markdown, read_plain
from core.web.papers import arxiv_abstract, arxiv_subjects, citation_in, is_arxiv_abstract
from core.web.pdf import read_pdf
from core.web.walls import refuse_walls, surroundings_of

# Control characters, and those that make text read in another order than it is written.
_UNSEEN = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ufff9-\uffff\ud800-\udfff]"
)

# A book of 300,000 words has a few thousand; above this only a page made to hurt.
_MAX_ELEMENTS = 250_000


class Extractor:
    """Raises NothingToRead and its kin for a page without an article, UnsupportedType."""

    def __init__(self, settings: WebSettings) -> None:
        self._settings = settings

    def __call__(self, page: Page) -> Article:
        if page.content_type in {HTML, XHTML}:
            return self._from_html(page)
        if page.content_type == PDF:
            return self._from_pdf(page)
        if page.content_type in {MARKDOWN, PLAIN}:
            return self._from_text(page)
        raise UnsupportedType(page.url, f"it is {page.content_type[:60]}")

    def _from_html(self, page: Page) -> Article:
        html = decoded(page.body, page.charset)
        tree = parsed(html)
        if tree is None:
            raise EmptyArticle(page.url, "the page is empty")
        if size_of(tree) > _MAX_ELEMENTS:
            raise NothingToRead(page.url, "the page is built of too many pieces")
        lang = _html_lang(tree)
        said = _Said(citation_in(tree) is not None, html)
        found = _with_citation(tree, found_in(tree, html, page.url), page.url)
        refuse_walls(
            page.url,
            found.blocks,
            lambda: surroundings_of(tree, html),
            self._settings.min_words,
        )
        return _article(page.url, found, source_type_of(page.url, said), lang)

    def _from_pdf(self, page: Page) -> Article:
        text = read_pdf(page.body, page.url)
        self._refuse_thin(page.url, text.blocks)
        found = Found(text.blocks, text.title, text.author, text.date)
        return _article(page.url, found, "paper" if text.is_paper else "blog")

    def _from_text(self, page: Page) -> Article:
        text = decoded(page.body, page.charset)
        read: Text = read_markdown(text) if page.content_type == MARKDOWN else read_plain(text)
        self._refuse_thin(page.url, read.blocks)
        found = Found(read.blocks, read.title, read.author, read.date, read.tags)
        return _article(page.url, found, "blog")

    def _refuse_thin(self, url: str, blocks: Sequence[Block]) -> None:
        words = words_in(blocks)
        if words == 0:
            raise EmptyArticle(url, "there is no text in it")
        if words < self._settings.min_words:
            raise PageTooThin(
                url, f"{words} words; an article has at least {self._settings.min_words}"
            )


def _article(url: str, found: Found, source_type: SourceType, lang: str | None = None) -> Article:
    content = _seen(markdown_of(found.blocks))
    if not content.strip():
        raise EmptyArticle(url, "there is no text in it")
    return Article(
        source_type=source_type,
        url=shown_address(url),
        language=language_of(found.blocks, lang),
        title=_line(found.title),
        content=content,
        author=_line(found.author),
        publish_date=_line(found.date),
        tags=tuple(tag for tag in map(_line, found.tags) if tag),
    )


def _seen(text: str) -> str:
    return _UNSEEN.sub("", text)


def _line(text: str | None) -> str | None:
    return (" ".join(_seen(text).split()) or None) if text else None


# --- papers


def _with_citation(tree: _Element, found: Found, url: str) -> Found:
    """What a scholarly page says of its paper goes before what was guessed."""
    citation = citation_in(tree)
    if citation is None:
        return found
    blocks = found.blocks
    tags = found.tags
    if is_arxiv_abstract(url):
        blocks = tuple(arxiv_abstract(tree)) or blocks
        tags = arxiv_subjects(tree) or tags
    if citation.abstract and words_in(blocks) < len(citation.abstract.split()):
        blocks = (Block("paragraph", citation.abstract),)
    return Found(
        blocks=blocks,
        title=citation.title,
        author=citation.author or found.author,
        date=citation.date or found.date,
        tags=citation.tags or tags,
    )


# --- language

_ENGLISH = frozenset(
    "the of and to in a is for that with on it as are this be by an or not".split()
)
_ENGLISH_SHARE = 0.12
_ENOUGH_WORDS = 20


def language_of(blocks: Sequence[Block], named: str | None = None) -> Language | None:
    """ko or en by the text itself, None for any other language.

    What the page names decides only where there is too little text.
    """
    text = " ".join(block.text for block in blocks if block.kind != "code")[:40_000]
    hint: Language | None = "ko" if (named or "").startswith("ko") else None
    if detect(text, hint) == "ko":
        return "ko"
    words = re.findall(r"[a-z]+", text.lower())
    letters = sum(map(str.isalpha, text))
    if sum(word in _ENGLISH for word in words) >= _ENGLISH_SHARE * max(1, len(words)):
        # letters of another script may stand around a few English words
        return "en" if sum(map(len, words)) > 0.5 * letters else None
    return "en" if len(words) < _ENOUGH_WORDS and (named or "").startswith("en") else None


def _html_lang(tree: _Element) -> str | None:
    root = tree if tree.tag == "html" else next(tree.iter("html"), None)
    return (root.get("lang") or "").strip().lower() or None if root is not None else None


# --- what kind of source it is


@dataclass(frozen=True, slots=True)
class _Said:
    """What a page says of its own kind."""

    is_paper: bool
    html: str


_PAPER_SITES = re.compile(
    r"(?:^|\.)(?:arxiv\.org|aclanthology\.org|openreview\.net|dl\.acm\.org|ieeexplore\.ieee\.org|biorxiv\.org"
    r"|proceedings\.mlr\.press|papers\.nips\.cc|proceedings\.neurips\.cc|dbpia\.co\.kr|kci\.go\.kr)$"
)
_NEWS_SITES = re.compile(
    r"(?:^|\.)(?:bbc\.(?:com|co\.uk)|cnn\.com|nytimes\.com|washingtonpost\.com|theguardian\.com|reuters\.com|apnews\.com"
    r"|wsj\.com|ft\.com|bloomberg\.com|cnbc\.com|theverge\.com|techcrunch\.com|arstechnica\.com|wired\.com|zdnet\.com"
    r"|theregister\.com|venturebeat\.com|engadget\.com|cnet\.com|chosun\.com|donga\.com|hani\.co\.kr|khan\.co\.kr"
    r"|joongang\.co\.kr|joins\.com|yna\.co\.kr|yonhapnews\.co\.kr|etnews\.com|zdnet\.co\.kr|bloter\.net|mk\.co\.kr"
    r"|hankyung\.com|sedaily\.com|aitimes\.com|itworld\.co\.kr|ciokorea\.com|news\.[\w.]+)$"
)
_NEWS_TYPE = re.compile(
    r"\"@type\"\s*:\s*(?:\[\s*)?\"(?:NewsArticle|ReportageNewsArticle|AnalysisNewsArticle|BackgroundNewsArticle)\""
)


def source_type_of(url: str, said: _Said) -> SourceType:
    """blog, paper or news; documentation counts as blog."""
    host = (urlsplit(url).hostname or "").lower()
    if said.is_paper or _PAPER_SITES.search(host):
        return "paper"
    if _NEWS_SITES.search(host) or _NEWS_TYPE.search(said.html):
        return "news"
    return "blog"
