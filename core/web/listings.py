"""In which language a page says that a listing is written.

HTML has no attribute for it; HTML 5 recommends `class="language-…"` on the `code`, and each highlighter
has a way of its own, on the `pre`, in it or around it. The name decides which parser reads the
listing, and tells a program from a terminal's output.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from lxml.etree import _Element

# The attribute in which a listing's language travels through an extractor.
LANGUAGE = "data-listing-language"
_ATTRIBUTES = (
    "data-lang",
    "data-language",
    "data-ke-language",
    "data-code-block-lang",
    "data-enlighter-language",
)
_NAME = r"[A-Za-z][\w+#.]{0,19}"
_WHOLE = re.compile(_NAME)
# language-js, lang-js, highlight-source-js, highlight-text-html-basic, highlight-python3, src-python
_PREFIXED = re.compile(
    rf"(?:^|\s)(?:language|lang|src|highlight-(?:source|text)|highlight)-({_NAME})(?![\w+#.])", re.I
)
_BRUSH = re.compile(rf"\bbrush:\s*({_NAME})", re.I)
# A class may be anything else as well; without a prefix only what is a language is taken for one.
_BARE = frozenset(
    "bash c clojure console cpp cs csharp css cuda dart diff docker dockerfile elixir erlang go golang "
    "graphql groovy haskell hcl html http ini java javascript js json jsx julia kotlin lua makefile "
    "nginx objc objectivec ocaml perl php powershell properties proto protobuf py pycon python python3 "
    "r rb ruby rust scala sh shell sql swift terraform toml ts tsx typescript vb vue wasm xml yaml yml zig".split()
)
_PLAIN = {"none", "plain", "plaintext", "nohighlight", "txt"}
# What a highlighter calls what it was told nothing about; and languages of people on a page's frame.
_UNTOLD = {"default", "auto", "undefined", "unknown", "en", "ko", "ja", "de", "fr", "es", "zh"}
_FRAMES = 3


def language_of(pre: _Element) -> str:
    """As the page names it, in small letters; "text" for what is no code, "" where nothing is said."""
    for node in (pre, *pre.iterdescendants("code"), *_around(pre)):
        if name := _named(node):
            return name
    # DocBook: what is seen on a terminal
    return "console" if "screen" in _classes(pre).split() else ""


def carried(element: _Element) -> str:
    """What `language_of` found, on an extractor's element or the one inside it."""
    for node in (element, *element.iterdescendants("code")):
        if name := _WHOLE.fullmatch(node.get(LANGUAGE, "")):
            return name[0].lower()
    return ""


def _around(pre: _Element) -> Iterator[_Element]:
    """The nearest frames that are of this listing alone."""
    node = pre.getparent()
    for _ in range(_FRAMES):
        if node is None or node.tag in {"body", "html"} or _has_another(node):
            return
        yield node
        node = node.getparent()


def _has_another(frame: _Element) -> bool:
    return next(islice(frame.iter("pre"), 1, None), None) is not None


def _named(node: _Element) -> str:
    for given in _given(node):
        name = given.lower()
        if name in _PLAIN:
            return "text"
        if name not in _UNTOLD:
            return name
    return ""


def _given(node: _Element) -> Iterator[str]:
    yield from (node.get(key, "") for key in _ATTRIBUTES if _WHOLE.fullmatch(node.get(key, "")))
    classes = _classes(node)
    for pattern in (_PREFIXED, _BRUSH):
        yield from (found[1] for found in pattern.finditer(classes))
    yield from (one for one in classes.split() if one.lower() in _BARE)


def _classes(node: _Element) -> str:
    return str(node.get("class", ""))
