"""Articles said in other words: from their language into the other one and back (blueprint B20).

    python -m training backtranslate --data ../shared/data/scitldr/train.jsonl.gz \
        --out runs/back/scitldr.jsonl --engine openai
    python -m training examples --more runs/back/scitldr.jsonl

Any engine that writes Korean and English translates (`--engine`, as for `evaluate`). Paragraphs
are translated one by one; code stays. A paragraph that comes back with other numbers or names,
much longer or shorter, or unchanged is left as it was; an article of which less than half came
back changed is left out. A row keeps everything else (its summary, licence, and its id, so that
it stays in the part of its original) and says where it comes from. An interrupted run goes on.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from core.article import Language
from core.chunks import Block, blocks
from core.errors import SettingsError
from core.judging.facts import name_keys, names, numbers
from core.language import detect, words
from core.ports import Engine, Generation
from core.prompts import translation
from training.evaluating.systems import Resources
from training.lines import bar, may_ship, read, written

log = logging.getLogger("training.sets.backtranslate")

# Words of a paragraph that is sent; longer ones stay as they are.
_MOST_WORDS = 220
# Share of the words that may be the same, and lengths against the original.
_SAME, _SHORTEST, _LONGEST = 0.95, 0.6, 1.6
_CHANGED = 0.5


def faithful(before: str, after: str, language: Language) -> bool:
    """Whether a paragraph that came back says the same facts, in other words."""
    length = len(after) / max(1, len(before))
    if not _SHORTEST <= length <= _LONGEST or detect(after) != language:
        return False
    if sorted(numbers(before)) != sorted(numbers(after)):
        return False
    known, told = set(name_keys(before)), set(name_keys(after))
    if not set(names(before)) <= told or not set(names(after)) <= known:
        return False
    old, new = Counter(words(before, language)), Counter(words(after, language))
    return bool(new) and (old & new).total() / max(old.total(), new.total()) < _SAME


async def back(engine: Engine, content: str, language: Language) -> str | None:
    """The article in other words; None where too little of it came back changed."""
    found = blocks(content)
    asked = [place for place, block in enumerate(found) if _sendable(block)]
    answers = await asyncio.gather(*(_paragraph(engine, found[i].text, language) for i in asked))
    changed = {i: text for i, text in zip(asked, answers, strict=True) if text is not None}
    if not asked or len(changed) < _CHANGED * len(asked):
        return None
    return "\n\n".join(_written(block, changed.get(i)) for i, block in enumerate(found))


def _sendable(block: Block) -> bool:
    return block.kind in ("paragraph", "item") and 4 <= len(block.text.split()) <= _MOST_WORDS


def _written(block: Block, text: str | None) -> str:
    said = block.text if text is None else text
    if block.kind == "heading":
        return f"## {said}"
    if block.kind == "item":
        return f"- {said}"
    return f"```{block.info}\n{said}\n```" if block.kind == "code" else said


async def _paragraph(engine: Engine, text: str, language: Language) -> str | None:
    other: Language = "en" if language == "ko" else "ko"
    room = Generation(max_new_tokens=min(512, 4 * engine.count_tokens(text) + 32))
    abroad = translation.parse(await engine.generate(translation.render(text, other), room))
    if not abroad or detect(abroad) != other:
        return None
    home = translation.parse(await engine.generate(translation.render(abroad, language), room))
    return home if faithful(text, home, language) else None


async def run(data: Path, out: Path, resources: Resources, *, limit: int = 0) -> Counter[str]:
    """Counts of rows: written, left as they were, left out for their licence.

    Raises SettingsError for an engine that does not write both languages, BadArticle for a broken
    row, EngineFailed with its kin; what is written until then is kept.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    done = {_key(json.loads(line)) for line in written(out)}
    wanted = [row for _, row in read(data)][: limit or None]
    counts: Counter[str] = Counter()
    try:
        engine, _ = await resources.both()
        if engine.writes != {"ko", "en"}:
            raise SettingsError(
                [f"{engine.name} does not write Korean and English; name another by --engine"]
            )
        with bar() as progress, out.open("a", encoding="utf-8") as file:
            shown = progress.add_task("translating", total=len(wanted))
            for row in wanted:
                if _key(row) not in done:
                    kind, line = await _row(engine, row)
                    counts[kind] += 1
                    file.write(line)
                    file.flush()
                progress.advance(shown)
    finally:
        await resources.close()
    return counts


async def _row(engine: Engine, row: Mapping[str, Any]) -> tuple[str, str]:
    """What became of it, and the line that says so: a note where there is nothing to learn from."""
    kind, made = "left out: licence", None
    if may_ship(row):
        language: Language = "ko" if row.get("language", "en") == "ko" else "en"
        made = await back(engine, str(row["content"]), language)
        kind = "left as they were" if made is None else "written"
    if made is None:
        line = {"id": _key(row), "skipped": kind}
    else:
        source = f"back-translation by {engine.name}, {translation.VERSION}"
        line = {**row, "content": made, "augmented": source}
    return kind, json.dumps(line, ensure_ascii=False) + "\n"


def _key(row: Mapping[str, Any]) -> str:
    return str(row.get("slug") or row.get("id") or "")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training backtranslate",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--data", type=Path, required=True, help="rows of the data folder")
    parser.add_argument("--out", type=Path, required=True, help="JSON lines, added to")
    parser.add_argument("--engine", default="openai", help="as for evaluate; must write ko and en")
    parser.add_argument("--limit", type=int, default=0, help="rows at most; 0: all")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    counts = asyncio.run(run(asked.data, asked.out, Resources(asked.engine), limit=asked.limit))
    for name, count in sorted(counts.items()):
        log.info("%-22s %6d", name, count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
