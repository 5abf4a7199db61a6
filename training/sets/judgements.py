"""Articles with what people said of them -> the judgement that a model is to write.

A level, keywords and prerequisites of one article stand in three sets; an example asks for the
parts that are known. The reason before a level is its author's own sentence on whom it is for,
where there is one, else what was measured, in words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core.article import Article
from core.chunks import Document, cut
from core.digest import Factor, FactorName
from core.judging.difficulty import judge
from core.judging.gist import rank, shown
from core.judging.prerequisites import prerequisites
from core.language import sentences
from core.mentions import mentions
from core.ports import Prompt
from core.prompts import judgement
from core.prompts.judgement import Judgement, Wanted
from training.lines import may_ship, read

SETS: tuple[str, ...] = ("difficulty/train", "keywords/train", "prerequisites/train")
_MOST_KEYWORDS, _MOST_ITEMS, _LONGEST_ITEM = 8, 4, 80
# From here on the article is called hard, and what is hard in it says why.
_HARD = 3.0
_SAID: dict[FactorName, tuple[str, str]] = {
    "terms": ("it is full of specialist terms", "it needs few specialist terms"),
    "concepts": ("its ideas are abstract", "its ideas are plain"),
    "background": ("it builds on much that it does not explain", "it builds on little"),
    "algorithms": ("its code branches and nests", "its code is simple"),
}


def judged(root: Path) -> Iterator[tuple[dict[str, Any], Prompt, str]]:
    """English articles, each once: its row, the question, and the answer to learn."""
    for row in _joined(root).values():
        document = cut(Article(content=row["content"], title=row.get("title")), 330)
        text = shown(document, rank(document))
        told, wanted = _told(row, document)
        if text and wanted:
            prompt = judgement.render(document.title, text, "en", wanted)
            yield row, prompt, judgement.answer(told, "en", wanted)


def _joined(root: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for name in SETS:
        path = root / f"{name}.jsonl.gz"
        for _, row in read(path) if path.is_file() else ():
            if may_ship(row) and row.get("language", "en") == "en":
                found.setdefault(str(row["id"]), {}).update(row)
    return found


def _told(row: Mapping[str, Any], document: Document) -> tuple[Judgement, tuple[Wanted, ...]]:
    text = "\n".join((document.title, *document.headings, document.prose))
    names = [name for name in row.get("keywords") or () if mentions(text, name)]
    items = [one.rstrip(" .") for one in row.get("prerequisites") or ()]
    items = [one for one in items if 2 < len(one) <= _LONGEST_ITEM]
    wanted: dict[Wanted, bool] = {
        "difficulty": "level" in row,
        "keywords": bool(names),
        "prerequisites": bool(items),
    }
    told = Judgement(
        reason=_reason(row, document) if wanted["difficulty"] else "",
        level=float(row["level"]) if wanted["difficulty"] else None,
        keywords=tuple(names[:_MOST_KEYWORDS]),
        prerequisites=tuple(items[:_MOST_ITEMS]),
    )
    return told, tuple(one for one, known in wanted.items() if known)


def _reason(row: Mapping[str, Any], document: Document) -> str:
    audience = sentences(" ".join(str(row.get("audience") or "").split()), "en")
    if audience and len(audience[0].split()) <= 40:
        return audience[0]
    return in_words(judge(document).factors, float(row["level"]), prerequisites(document, 2))


def in_words(factors: Sequence[Factor], level: float, known: Sequence[str]) -> str:
    """One sentence on the two factors that speak most for this level."""
    hard = level >= _HARD
    first, second = sorted(factors, key=lambda one: -one.score if hard else one.score)[:2]
    said = [_SAID[one.name][0 if hard else 1] for one in (first, second)]
    asked = f", and asks for: {'; '.join(known)}" if known and hard else ""
    sentence = f"{said[0]}, and {said[1]}{asked}."
    return sentence[0].upper() + sentence[1:]
