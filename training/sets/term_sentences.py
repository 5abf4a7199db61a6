"""Sentences for the term tagger: those a person has marked, and those with weak labels."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

from core.article import Article, Language
from core.chunks import cut
from training.lines import may_ship, rows
from training.names.tagging import BEGINS, GOES_ON, OUTSIDE, Word, split
from training.names.term_labels import IGNORED, Key, key_of, label, names

GOLD = Path(__file__).parents[1] / "data" / "terms_gold.txt"


class Sentence(NamedTuple):
    text: str
    language: Language
    words: list[Word]
    labels: list[int]


def gold(path: Path = GOLD) -> list[Sentence]:
    """The sentences a person has marked; brackets of the text itself do not occur."""
    found = []
    for line in path.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            language, _, marked = line.split(" | ", 2)
            found.append(_marked(marked, cast("Language", language)))
    return found


def _marked(marked: str, language: Language) -> Sentence:
    text, marks = "", []
    for piece in re.split(r"(\[[^\[\]]+\])", marked):
        inside = piece.startswith("[") and piece.endswith("]") and len(piece) > 2
        if inside:
            marks.append((len(text), len(text) + len(piece) - 2))
        text += piece[1:-1] if inside else piece
    words = split(text, language)
    labels = [OUTSIDE] * len(words)
    for start, end in marks:
        held = [place for place, word in enumerate(words) if start <= word.start < end]
        for number, place in enumerate(held):
            labels[place] = GOES_ON if number else BEGINS
    return Sentence(text, language, words, labels)


def weak(root: Path, settings: dict[str, Any], hidden: set[Key]) -> list[Sentence]:
    """Sentences with a term by the weak labels; words of hidden names are ignored."""
    chance = random.Random(settings["seed"])  # noqa: S311
    found: list[Sentence] = []
    for language in ("en", "ko"):
        taken = list(_texts(root, settings, language, chance))
        chance.shuffle(taken)
        found += _labelled(taken, language, hidden, settings["sentences"][language])
    return found


def _texts(
    root: Path, settings: dict[str, Any], language: Language, chance: random.Random
) -> Iterator[str]:
    for name in settings["sources"]:
        usable = [
            row
            for row in rows(root / f"{name}.jsonl.gz")
            if row.get("language", "en") == language
            and row["source"] not in settings["without"]
            and may_ship(row)
        ]
        chance.shuffle(usable)
        for row in usable[: settings["documents"]]:
            content = (row.get("content") or row.get("full") or "")[:6_000]
            title = row.get("title") or row.get("term")
            document = cut(Article(title=title, content=content, language=language), 330)
            whole = [s.text for s in document.sentences if s.whole and len(s.text) <= 260]
            yield from chance.sample(whole, min(len(whole), settings["each"][language]))


def _labelled(
    texts: Sequence[str], language: Language, hidden: set[Key], most: int
) -> list[Sentence]:
    known = names(language)
    found: list[Sentence] = []
    for text in dict.fromkeys(texts):
        words = split(text, language)
        labels, there = label(words, language, known)
        if len(words) < 5 or not there:
            continue
        if there & hidden:
            labels = _without(words, labels, hidden)
        found.append(Sentence(text, language, words, labels))
        if len(found) == most:
            break
    return found


def _without(words: Sequence[Word], labels: list[int], hidden: set[Key]) -> list[int]:
    kept = list(labels)
    for start, end in entities(labels):
        if key_of([word.text for word in words[start:end]]) in hidden:
            kept[start:end] = [IGNORED] * (end - start)
    return kept


def entities(labels: Sequence[int]) -> list[tuple[int, int]]:
    """Where the terms are, by words."""
    found = []
    for place, one in enumerate(labels):
        if one == BEGINS:
            end = place + 1
            while end < len(labels) and labels[end] == GOES_ON:
                end += 1
            found.append((place, end))
    return found


def hidden_names(share: float, seed: int) -> set[Key]:
    chance = random.Random(seed)  # noqa: S311
    listed = sorted({*names("en"), *names("ko")})
    return set(chance.sample(listed, round(share * len(listed))))
