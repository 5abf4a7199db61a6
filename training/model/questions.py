"""What models are compared on: prompts as the service asks them, kept in files of JSON lines.

`part` says what an article is for: "held" is scored, "unseen" are those of the training sets that
no model learns from (drafts of them teach the forest of `headline`), "more" are the held-out
parts' other articles. Making the prompts needs the whole product's reading of an article;
answering them needs this file alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from core.article import Language
from core.judging.gist import SHOWN_WORDS, rank, shown
from core.judging.kinds import kind_of
from core.ports import Prompt
from core.prompts import judgement as judgement_prompt
from core.prompts import summary as summary_prompt
from training.lines import read
from training.sentences.gist import document_of, references
from training.sets.examples import kept_apart, prompt_of
from training.sets.judgements import SETS as JUDGED

Part = Literal["held", "unseen", "more"]
_LEAD = 3


@dataclass(frozen=True, slots=True)
class Question:
    """`answers`: what people wrote; `title`, the `first` sentence and the first three (`lead`) are
    the dumb answers."""

    id: str
    set: str
    part: Part
    language: Language
    prompt: Prompt
    answers: tuple[str, ...] = ()
    title: str = ""
    first: str = ""
    lead: str = ""


def summaries(
    root: Path, held: Sequence[str], unseen: Sequence[str], rows: int, words: int = SHOWN_WORDS
) -> Iterator[Question]:
    """The first `rows` articles of each of the sets `held` are "held", the others "more"; Korean
    sets can be held, too."""
    for name in held:
        for place, row in enumerate(_rows(root, name, ("en", "ko"))):
            yield from summary(name, row, "held" if place < rows else "more", words)
    for name in unseen:
        for row in _rows(root, name):
            if kept_apart(str(row["id"])):
                yield from summary(name, row, "unseen", words)


def summary(
    name: str, row: dict[str, Any], part: Part, words: int = SHOWN_WORDS
) -> Iterator[Question]:
    """What the service asks of an article; nothing of one without sentences."""
    document = document_of(row)
    text = shown(document, rank(document), words=words)
    if not text:
        return
    prompt = summary_prompt.render(
        document.title, text, document.language, 1, kind=kind_of(document)
    )
    yield Question(
        id=str(row["id"]),
        set=name,
        part=part,
        language=document.language,
        prompt=prompt,
        answers=tuple(references(row)),
        title=document.title,
        first=document.sentences[0].text,
        lead=" ".join(one.text for one in document.sentences[:_LEAD]),
    )


def judgements(root: Path, examples: Path) -> Iterator[Question]:
    """Of the judged articles those that no model learns from, each asked for everything."""
    groups = {
        row["group"]
        for part in ("valid", "choose")
        if (examples / f"judgement.{part}.jsonl").is_file()
        for _, row in read(examples / f"judgement.{part}.jsonl")
    }
    known: set[str] = set()
    for name in (*JUDGED, "difficulty/valid"):
        for row in _rows(root, name):
            key = str(row["id"])
            if key in known or not (key in groups or name.endswith("/valid")):
                continue
            known.add(key)
            document = document_of(row)
            text = shown(document, rank(document))
            if text:
                prompt = judgement_prompt.render(document.title, text, document.language)
                yield Question(key, name, "held", document.language, prompt)


def _rows(
    root: Path, name: str, languages: Sequence[Language] = ("en",)
) -> Iterator[dict[str, Any]]:
    """English ones unless others are asked for: what the embedded base writes."""
    path = root / f"{name}.jsonl.gz"
    for _, row in read(path) if path.is_file() else ():
        if row.get("language", "en") in languages:
            yield row


def write(path: Path, questions: Iterable[Question]) -> None:
    """Whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    with partial.open("w", encoding="utf-8") as file:
        for one in questions:
            file.write(json.dumps(asdict(one), ensure_ascii=False) + "\n")
    partial.replace(path)


def load(path: Path) -> list[Question]:
    """Raises SettingsError, BadArticle."""
    found = []
    for _, row in read(path):
        row["prompt"] = prompt_of(row)
        row["answers"] = tuple(row["answers"])
        found.append(Question(**row))
    return found
