"""Which words of a sentence are a technical term: BIO labels from the encoder's token states.

The encoder reads every sentence for its vector anyway; the head is two small layers over the
state of each word's first token and the word's shape (capitals, signs, rarity), 28 KB, so it would
cost next to nothing. It is made by `python -m training tagger`, belongs to the encoder that it names, and
is not in service: what it found was no better than what rules find there (training/LOG.md).
A word is what a term could begin or end with: in Korean a morpheme, so that particles stay outside.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from core.article import Language
from core.engine.encoder import TokenStates
from core.judging.background import background
from core.judging.forest import Rows
from core.language import is_stopword, morphemes, stem
from core.ports import Vectors

OUTSIDE, BEGINS, GOES_ON = range(3)
_WORD = re.compile(
    r"[A-Za-z][A-Za-z0-9]*(?:[+#]+|(?:[-_./][A-Za-z0-9]+)*)|\d+(?:\.\d+)*|[가-힣]+|[^\s]"
)
_HANGUL = re.compile(r"[가-힣]+")
_NOUNS = ("NN", "SL", "XR", "XPN", "XSN")
SHAPES = (
    "first",
    "capital",
    "all_capitals",
    "capital_inside",
    "digit",
    "sign_inside",
    "called",
    "function_word",
    "punctuation",
    "rarity",
    "specialist",
    "hangul",
    "noun",
    "length",
)


@dataclass(frozen=True, slots=True)
class Word:
    """`noun`: whether Korean morphology calls it one; in English True for every word."""

    text: str
    start: int
    end: int
    noun: bool = True


@dataclass(frozen=True, slots=True)
class Span:
    """A term in a sentence, by characters; `chance` is the mean of its words'."""

    start: int
    end: int
    chance: float


def split(text: str, language: Language) -> list[Word]:
    found: list[Word] = []
    for match in _WORD.finditer(text):
        if language == "ko" and _HANGUL.fullmatch(match.group()):
            found += _morphemes(match.group(), match.start())
        else:
            found.append(Word(match.group(), match.start(), match.end()))
    return found


def _morphemes(text: str, offset: int) -> Iterator[Word]:
    """Those that take room: a contracted ending has none of its own."""
    end = 0
    for token in morphemes(text):
        if token.len and token.start >= end:
            end = token.start + token.len
            noun = token.tag.startswith(_NOUNS)
            yield Word(text[token.start : end], offset + token.start, offset + end, noun)


def shapes(words: Sequence[Word], language: Language) -> Rows:
    """A row a word, columns as in SHAPES."""
    rare = background(language)
    rows = []
    for place, word in enumerate(words):
        text = word.text
        letters = text[0].isalpha()
        after = words[place + 1].text if place + 1 < len(words) else ""
        key = text if _HANGUL.match(text) else stem(text.lower())
        rows.append(
            [
                float(place == 0),
                float(text[0].isupper()),
                float(text.isupper() and len(text) > 1),
                float(any(c.isupper() for c in text[1:]) and not text.isupper()),
                float(any(c.isdigit() for c in text)),
                float(letters and any(not c.isalnum() for c in text)),
                float(letters and after == "("),
                float(letters and is_stopword(text)),
                float(not text[0].isalnum()),
                min(rare.idf(key), 8.0) / 8.0 if letters else 0.0,
                float(letters and rare.specialist(key)),
                float(_HANGUL.match(text) is not None),
                float(letters and word.noun),
                min(20, len(text)) / 20,
            ]
        )
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(SHAPES))


def first_tokens(words: Sequence[Word], read: TokenStates) -> list[int]:
    """Of each word the number of its first token; -1 where the encoder has cut the text off."""
    starts = [start for start, _ in read.spans]
    found = []
    for word in words:
        place = bisect_right(starts, word.start) - 1
        inside = 0 <= place < len(starts) and read.spans[place][1] > word.start
        found.append(place if inside else -1)
    return found


def columns(words: Sequence[Word], read: TokenStates, language: Language) -> Rows:
    """What the head sees of each word: state, its shape, and the shapes beside it."""
    shape = shapes(words, language)
    blank = np.zeros((1, len(SHAPES)))
    before, after = np.vstack([blank, shape[:-1]]), np.vstack([shape[1:], blank])
    states = np.zeros((len(words), read.states.shape[1]))
    for row, token in enumerate(first_tokens(words, read)):
        if token >= 0:
            states[row] = read.states[token]
    return np.hstack([states, shape, before, after])


@dataclass(frozen=True, slots=True)
class Head:
    """Two layers. `least`: the chance from which a span counts as a term, by language."""

    encoder: str
    first: Vectors
    first_bias: Vectors
    second: Vectors
    second_bias: Vectors
    least: float

    def chances(self, rows: Rows) -> Rows:
        """Shape (words, columns) to (words, 3): outside, begins, goes on."""
        hidden = np.maximum(0.0, rows @ self.first + self.first_bias)
        logits = hidden @ self.second + self.second_bias
        shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
        return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))

    def save(self, path: Path) -> None:
        parts = {name: getattr(self, name) for name in _LAYERS}
        kept = {name: part.astype(np.float16) for name, part in parts.items()}
        np.savez_compressed(
            path, encoder=np.array(self.encoder), least=np.array(self.least), **kept
        )


_LAYERS = ("first", "first_bias", "second", "second_bias")


@lru_cache(maxsize=2)
def load(path: Path) -> Head:
    with np.load(path, allow_pickle=False) as read:
        layers = {name: read[name].astype(np.float32) for name in _LAYERS}
        return Head(encoder=str(read["encoder"]), least=float(read["least"]), **layers)


def best_path(chances: Rows) -> list[int]:
    """The likeliest labels in which nothing goes on that has not begun (Viterbi)."""
    if not len(chances):
        return []
    logs = np.log(np.maximum(chances, 1e-9))
    score = logs[0].copy()
    score[GOES_ON] = -np.inf
    came: list[list[int]] = []
    for row in logs[1:]:
        best = int(score.argmax())
        inside = BEGINS if score[BEGINS] >= score[GOES_ON] else GOES_ON
        came.append([best, best, inside])
        score = row + np.array([score[best], score[best], score[inside]])
    labels = [int(score.argmax())]
    for step in reversed(came):
        labels.append(step[labels[-1]])
    return labels[::-1]


def spans(words: Sequence[Word], chances: Rows, least: float) -> list[Span]:
    labels = best_path(chances)
    found: list[Span] = []
    place = 0
    while place < len(labels):
        end = place + 1
        if labels[place] == BEGINS:
            while end < len(labels) and labels[end] == GOES_ON:
                end += 1
            chance = float(1.0 - chances[place:end, OUTSIDE].mean())
            if chance >= least:
                found.append(Span(words[place].start, words[end - 1].end, chance))
        place = end
    return found


def tagged(text: str, read: TokenStates, language: Language, head: Head) -> list[Span]:
    words = split(text, language)
    return spans(words, head.chances(columns(words, read, language)), head.least)
