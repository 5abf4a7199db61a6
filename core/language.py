"""Korean or English, sentences, and the words that carry meaning, for both languages alike.

Korean is cut by kiwipiepy (sentence splitter and morphemes), loaded when first needed: 0.7 s.
English sentences are cut by rule: technical prose is full of `foo.bar()`, `v1.2` and `e.g.`,
and the rules know those.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING

from core.article import Language
from core.boundaries import Span, mended

if TYPE_CHECKING:
    from kiwipiepy import Kiwi

_HANGUL = re.compile(r"[\uac00-\ud7a3]")
_LETTER = re.compile(r"[A-Za-z\uac00-\ud7a3]")
_INLINE_CODE = re.compile(r"`[^`\n]+`|<[^<>\n]+>")
_FENCE = re.compile(r"^(```|~~~).*?^\1[^\n]*$", re.S | re.M)

# Korean technical prose keeps its terms, code and names in Latin letters: a fifth of the letters
# in Hangul is Korean for certain, where an English page with a Korean name stays far below.
_KOREAN_SHARE = 0.2


def detect(text: str, hint: Language | None = None) -> Language:
    """By the share of Hangul among the letters outside code; `hint` tips the balance only.

    A page's own `lang` attribute is often a template's default, so the text goes first.
    """
    sample = _INLINE_CODE.sub(" ", _FENCE.sub(" ", text[:40_000]))
    hangul = len(_HANGUL.findall(sample))
    letters = len(_LETTER.findall(sample))
    if letters == 0:
        return hint or "en"
    enough = _KOREAN_SHARE / 2 if hint == "ko" else _KOREAN_SHARE
    return "ko" if hangul / letters >= enough else "en"


_ABBREVIATIONS = frozenset(
    "e.g i.e etc vs cf al fig figs eq eqs sec no nos vol pp approx resp dr mr mrs ms prof st jr sr"
    " inc ltd co corp dept est ca jan feb mar apr jun jul aug sep sept oct nov dec".split()
)
_BOUNDARY = re.compile(r"([.!?…。]+[\"'”’)\]]*)(\s+)(?=[\"'“‘(\[`]*[A-Z0-9`\uac00-\ud7a3])")


def sentences(text: str, language: Language, shielded: str | None = None) -> list[str]:
    """Sentences of one paragraph (no Markdown structure), trimmed, none empty.

    `shielded` is the same text, letter for letter, without the marks that end no sentence:
    those in code.
    """
    flat = " ".join(text.split())
    shown = shielded if shielded is not None and len(shielded) == len(flat) else flat
    spans = _korean_sentences(shown) if language == "ko" else _english_sentences(shown, flat)
    found = (flat[start:end].strip() for start, end in spans)
    return [sentence for sentence in found if sentence]


def _english_sentences(text: str, written: str) -> Iterator[Span]:
    start = 0
    for match in _BOUNDARY.finditer(text):
        if match.group(1) == "." and _is_abbreviation(text[start : match.start()]):
            continue
        # "it does satisfy (but not implement!) `comparable`": the bracket ends, the sentence does not
        if match.group(1).endswith(")") and written[match.end()].islower():
            continue
        yield start, match.end(1)
        start = match.end()
    yield start, len(text)


def _is_abbreviation(before: str) -> bool:
    word = before.rsplit(None, 1)[-1].lower().strip("([\"'") if before.strip() else ""
    return word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha())


@lru_cache(maxsize=1)
def _kiwi() -> Kiwi:
    from kiwipiepy import Kiwi  # noqa: PLC0415 - 0.7 s that English articles need not wait for

    return Kiwi(num_workers=1)


# The splitter's memory grows faster than its input: a book without a line break is fed in pieces.
_KIWI_CHARACTERS = 4_000


def _korean_sentences(text: str) -> Iterator[Span]:
    offset = 0
    for piece in _pieces(text, _KIWI_CHARACTERS):
        found = _kiwi().split_into_sents(piece)
        for start, end in mended(piece, ((s.start, s.end) for s in found)):
            yield offset + start, offset + end
        offset += len(piece)


def _pieces(text: str, size: int) -> Iterator[str]:
    start = 0
    while len(text) - start > size:
        cut = text.rfind(". ", start, start + size) + 1
        if cut <= start:
            cut = start + size
        yield text[start:cut]
        start = cut
    yield text[start:]


_WORD = re.compile(r"[A-Za-z][A-Za-z0-9+#]*(?:[-_.'’/][A-Za-z0-9+#]+)*|\d+(?:[.,]\d+)*%?")
_STOPWORDS = frozenset(
    """\
    a about above after again against all also although always am an and another any are aren't as at back be
    because been before being below between both but by came can can't cannot come could couldn't did didn't do
    does doesn't doing don't done down during each either else enough even ever every few first for from further
    get gets getting give given go goes going got had has hasn't have haven't having he her here hers herself him
    himself his how however i if in instead into is isn't it it's its itself just keep know last later less let
    let's like likely look lot made make makes many may maybe me might more most much must my myself near need
    needs neither never next no none nor not nothing now of off often on once one only or other others our ours
    ourselves out over own part per perhaps please put quite rather really same say says see seems seen several
    she should shouldn't show since so some something soon still such sure take takes than that that's the their
    theirs them themselves then there there's therefore these they they're thing things think this those though
    through thus to together too toward two under until up upon us use used uses using usually very want was
    wasn't way ways we we'll we're we've well were weren't what when where whether which while who whom whose why
    will with within without won't would wouldn't yes yet you you'll you're you've your yours yourself""".split()
)
# nouns, proper nouns, foreign words, numbers, roots, verbs and adjectives
_KO_CONTENT = ("NNG", "NNP", "SL", "SN", "XR", "VV", "VA")


def words(text: str, language: Language) -> list[str]:
    """The content words in order, in lower case: stems without endings, stop words left out."""
    if language == "ko":
        return [t.form.lower() for t in _tokens(text) if t.tag.split("-")[0] in _KO_CONTENT]
    kept = (w.removesuffix("'s") for w in raw_words(text) if w not in _STOPWORDS and len(w) > 1)
    return [stem(word) for word in kept]


def nouns(text: str) -> list[list[str]]:
    """Korean: runs of adjacent nouns and foreign words, as candidates for terms."""
    runs: list[list[str]] = [[]]
    end = -1
    for token in _tokens(text):
        if token.tag in ("NNG", "NNP", "SL", "XR"):
            if runs[-1] and token.start - end > 1:
                runs.append([])
            runs[-1].append(text[token.start : token.start + token.len])
            end = token.start + token.len
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def ends_with_copula(sentence: str) -> bool:
    """Korean: "… 단위다", "… 도구입니다": the sentence says what something is."""
    return any(token.tag == "VCP" for token in _tokens(sentence)[-4:])


def morphemes(text: str) -> list[Token]:
    """Korean: all morphemes in order, with their part of speech."""
    return _tokens(text)


def _tokens(text: str) -> list[Token]:
    found: list[Token] = []
    for piece in _pieces(text, _KIWI_CHARACTERS):
        found += _analysed(piece)
    return found


class Token:
    """A morpheme: what kiwipiepy says of it, kept small so that it can be remembered."""

    __slots__ = ("form", "len", "start", "tag")

    def __init__(self, form: str, tag: str, start: int, length: int) -> None:
        self.form, self.tag, self.start, self.len = form, tag, start, length


@lru_cache(maxsize=4096)
def _analysed(piece: str) -> tuple[Token, ...]:
    return tuple(Token(t.form, t.tag, t.start, t.len) for t in _kiwi().tokenize(piece))


def raw_words(text: str) -> list[str]:
    """English words and numbers as written, in lower case."""
    return [w.replace("’", "'").lower() for w in _WORD.findall(text)]


def is_stopword(word: str) -> bool:
    return word.lower() in _STOPWORDS


@lru_cache(maxsize=65_536)
def stem(word: str) -> str:
    """A light English stemmer (the S-stemmer of Harman 1991, and -ing, -ed, -ly besides).

    Only what makes an inflected form meet its base; `class` and `classic` stay apart.
    """
    if len(word) < 4 or not word.isalpha():
        return word
    for ending, kept in (
        ("ies", "y"),
        ("sses", "ss"),
        ("ches", "ch"),
        ("shes", "sh"),
        ("xes", "x"),
    ):
        if word.endswith(ending) and len(word) > len(ending) + 1:
            return word[: -len(ending)] + kept
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        return _without_tense(word[:-1])
    return _without_tense(word)


def _without_tense(word: str) -> str:
    for ending in ("ing", "ed"):
        base = word[: -len(ending)]
        if word.endswith(ending) and len(base) >= 3 and re.search(r"[aeiouy]", base):
            if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
                return base[:-1]
            return base
    if word.endswith("e") and len(word) > 4:
        return word[:-1]
    return word


def count_words(text: str) -> int:
    """White-space words, which is what people mean by "a 1,500-word article"."""
    return len(text.split())
