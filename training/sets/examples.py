"""What M2 learns from: prompts as the service asks them, with the answers people wrote.

    python -m training examples --data ../shared/data --out runs/examples

One JSON object a line: {"task", "language", "source", "license", "group", "prompt": {"system",
"user", "opening"}, "answer"}. `group` keeps what belongs together (a site's article and its
translation) in one part. Train and validation are split by the data's own parts where it has
them, otherwise by a hash of the group; nothing of a validation part is ever in train.
Rows for non-commercial use and saved web pages are never taken. Models see title and text only.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.article import Article, Language
from core.chunks import Document, cut
from core.errors import BadArticle, SettingsError
from core.judging.facts import Known, numbers
from core.judging.gist import SHOWN_WORDS, rank, shown
from core.judging.kinds import TextKind, kind_of
from core.language import sentences
from core.ports import Prompt
from core.prompts import judgement as judgement_prompt
from core.prompts import summary as summary_prompt
from core.prompts import term as term_prompt
from training.config import TrainingConfig
from training.lines import may_ship, read
from training.sets.announcements import announced
from training.sets.gaps import Gap, gaps
from training.sets.judgements import judged
from training.sets.statements import stands

log = logging.getLogger("training.sets.examples")

_SUMMARIES = ("summary", "description", "statement", "part", "title")
_LEAST_ANSWER = 4
_MOST_ANSWER = 45
# Of one article: a long one would teach more than many short ones.
_GAPS = 1
# How papers and proposals begin: a text that is not told to be one must not teach it.
_OTHER_VOICE = re.compile(r"(?:we|our|this (?:PEP|RFC|paper|document|proposal|work))\b", re.I)
VERSIONS = {
    "summary": summary_prompt.VERSION,
    "description": summary_prompt.VERSION,
    "statement": summary_prompt.VERSION,
    "part": summary_prompt.VERSION,
    "title": summary_prompt.VERSION,
    "korean": summary_prompt.VERSION,
    "term": term_prompt.VERSION,
    "judgement": judgement_prompt.VERSION,
}


@dataclass(frozen=True, slots=True)
class Made:
    """An example on its way to a file."""

    task: str
    language: str
    source: str
    license: str
    group: str
    prompt: Prompt
    answer: str

    def line(self) -> str:
        prompt = self.prompt
        asked = {"system": prompt.system, "user": prompt.user, "opening": prompt.opening}
        fields = ("task", "language", "source", "license", "group")
        row = {name: getattr(self, name) for name in fields}
        row |= {"prompt": asked, "answer": self.answer, "version": VERSIONS[self.task]}
        return json.dumps(row, ensure_ascii=False) + "\n"


def from_summaries(row: dict[str, Any], words: int = SHOWN_WORDS) -> Iterator[Made]:
    """Title and best sentences -> the first sentence of what a person wrote."""
    if row.get("language", "en") != "en":
        return  # the embedded base does not write Korean
    document = cut(Article(content=row["content"], title=row.get("title")), 330)
    ranks = rank(document)
    text = shown(document, ranks, words=words)
    if not text:
        return
    kind = kind_of(document, "paper" if row.get("source_type") == "paper" else "blog")
    prompt = summary_prompt.render(document.title, text, "en", 1, kind=kind)
    if document.title:
        yield _made(row, "title", _for_a_title(text, kind), document.title)
    for answer in row.get("summaries") or [row["summary"]]:
        said = first_sentence(answer)
        other = kind == "article" and _OTHER_VOICE.match(said)
        if _LEAST_ANSWER <= len(said.split()) <= _MOST_ANSWER and not other:
            yield _made(row, _task(document, kind, said), prompt, said)
    if kind == "article":
        for gap in _worthiest(gaps(document, ranks, words)):
            prompt = summary_prompt.render(document.title, gap.text, "en", 1, kind="section")
            yield _made(row, "part", prompt, first_sentence(gap.said))


def _for_a_title(text: str, kind: TextKind) -> Prompt:
    """Of what stands in an abstract a title names the point, and every text has one (Cachola et al. 2020,
    arXiv:2004.15011, 4.1). Nothing asks so in service."""
    system = summary_prompt.render("", text, "en", 1, kind=kind).system
    return Prompt(user=f"Text:\n{text}\n\nWrite a title for this {kind}.", system=system)


def _worthiest(found: Iterable[Gap]) -> list[Gap]:
    return sorted(found, key=lambda gap: -gap.worth)[:_GAPS]


def _task(document: Document, kind: TextKind, said: str) -> str:
    """Apart, so that a run can take the few articles more often than the many papers, and what is
    like a digest's sentence more often than what is not."""
    if kind != "article":
        return "summary"
    return "statement" if stands(document, said) else "description"


def from_korean(row: dict[str, Any], words: int = SHOWN_WORDS) -> Iterator[Made]:
    """Title and best sentences of a Korean page -> the first sentence of its introduction; apart,
    for bases that write Korean."""
    document = cut(Article(content=row["content"], title=row.get("title"), language="ko"), 330)
    text = shown(document, rank(document), words=words)
    said = first_sentence(row["summary"], "ko")
    if text and _LEAST_ANSWER <= len(said.split()) <= _MOST_ANSWER:
        kind = kind_of(document)
        prompt = summary_prompt.render(document.title, text, "ko", 1, kind=kind)
        yield _made(row, "korean", prompt, said)


def from_announcements(row: dict[str, Any], words: int = SHOWN_WORDS) -> Iterator[Made]:
    """An article without the sentence that says what it is about -> that sentence."""
    if row.get("language", "en") != "en" or not row.get("title"):
        return
    document = cut(Article(content=row["content"], title=row["title"]), 330)
    found = announced(document)
    if found is None or kind_of(document) != "article":
        return
    index, said = found
    others = [i for i in range(len(document.sentences)) if i != index]
    text = shown(document, rank(document), others, words)
    if text:
        prompt = summary_prompt.render(document.title, text, "en", 1, kind="article")
        said = first_sentence(said)
        yield _made(row, _task(document, "article", said), prompt, said)


def from_terms(row: dict[str, Any], _words: int = 0) -> Iterator[Made]:
    """A glossary's entry -> its definition."""
    if row.get("language", "en") != "en" or not row.get("full"):
        return
    text = " ".join(sentences(row["full"], "en")[:4])[:700]
    said = first_sentence(row["definition"])
    if 5 <= len(said.split()) <= _MOST_ANSWER:
        yield _made(row, "term", term_prompt.render(row["term"], text, "en"), said)


def from_made(row: dict[str, Any], words: int = SHOWN_WORDS) -> Iterator[Made]:
    """The service's own export: an article with a digest that somebody called good. Or rows as the
    data folder has them, such as those that `backtranslate` makes."""
    if row.get("content") and ("summary" in row or "summaries" in row):
        yield from from_summaries(row, words)
        return
    summary = row.get("digest", {}).get("summary")
    if summary and row.get("article", {}).get("content"):
        given = {**row["article"], "summary": summary, "source": "export"}
        yield from from_summaries(given, words)


def prompt_of(row: dict[str, Any]) -> Prompt:
    """What a row asks. Raises KeyError or TypeError where it does not."""
    asked = row["prompt"]
    return Prompt(asked["user"], asked["system"], asked["opening"])


def founded(prompt: Prompt, answer: str) -> bool:
    """Whether each name and number of the answer stands in what the model is shown; an answer
    with others teaches it to make them up (Nan et al. 2021, arXiv:2102.09130, 3.1)."""
    known = Known(prompt.user)
    # any length: so the adapter that ships was taught
    strange = known.strange(answer, shortest=1) - {"pep", "rfc"}
    return not strange and known.numbers.issuperset(numbers(answer))


def first_sentence(text: str, language: Language = "en") -> str:
    """Whole, with its full stop: the way the service wants a sentence written."""
    found = sentences(" ".join(text.split()), language)
    said = found[0].strip() if found else ""
    if said and said[-1] not in ".!?":
        said += "."
    return said[:1].upper() + said[1:]


def _made(row: dict[str, Any], task: str, prompt: Prompt, answer: str) -> Made:
    return Made(
        task=task,
        language=str(row.get("language", "en")),
        source=str(row.get("source", "")),
        license=str(row.get("license", "")),
        group=str(row.get("slug") or row.get("id") or ""),
        prompt=prompt,
        answer=answer,
    )


# name of the file -> how it is read, and whether the data's own parts are its split
SETS = {
    "scitldr/train": (from_summaries, "train"),
    "tech_specs/train": (from_summaries, "train"),
    "go_blog/train": (from_summaries, "train"),
    "tutorial_descriptions/train": (from_summaries, "hash"),
    "cs_corpus/extra": (from_announcements, "hash"),
    "difficulty/train": (from_announcements, "hash"),
    "glossary/cncf": (from_terms, "hash"),
    "react_ko/train": (from_korean, "train"),
    "scitldr/dev": (from_summaries, "valid"),
    "tech_specs/valid": (from_summaries, "valid"),
    "go_blog/valid": (from_summaries, "valid"),
    "react_ko/valid": (from_korean, "valid"),
}


def part_of(made: Made, split: str) -> str:
    """train, valid, or choose: what the model never saw, for those that judge its drafts."""
    if split == "valid":
        return split
    if split in ("hash", "joined") and _number(made.group) % 10 == 0:
        return "valid"
    apart = made.task in _SUMMARIES and kept_apart(made.group)
    return "choose" if apart else "train"


def kept_apart(group: str) -> bool:
    """Whether a group's summaries are in the part "choose"."""
    return _number(group) % 7 == 1


def fold_of(group: str, folds: int) -> int:
    """Which of so many parts of like size a group is in; the parts above tell nothing of it."""
    return _number(group, 8) % folds


def _number(group: str, begin: int = 0) -> int:
    """The same on every machine, spread evenly."""
    return int(hashlib.sha256(group.encode()).hexdigest()[begin : begin + 8], 16)


def build(
    root: Path, out: Path, more: Sequence[Path] = (), words: int = SHOWN_WORDS
) -> Counter[str]:
    """Writes <task>.train.jsonl and <task>.valid.jsonl; returns how many rows each has. `words`:
    of an article that is summarized; the service shows as many as is the default.

    Raises BadArticle for a broken row, SettingsError where train and validation overlap or a
    part is empty.
    """
    out.mkdir(parents=True, exist_ok=True)
    counts: Counter[str] = Counter()
    groups: dict[str, set[str]] = {"train": set(), "valid": set(), "choose": set()}
    files: dict[str, Any] = {}
    sources = [(root / f"{name}.jsonl.gz", *how) for name, how in SETS.items()]
    sources += [(path, from_made, "joined") for path in more]
    try:
        for made, split in _all(sources, root, counts, words):
            if made.task in _SUMMARIES and not founded(made.prompt, made.answer):
                counts["left out: not in the text"] += 1
                continue
            article = f"{made.source}:{made.group}"
            known = (one for one, inside in groups.items() if article in inside)
            # a judgement, and the same article in other words, go where its summary went
            part = next(known, "") if split == "joined" else ""
            part = part or part_of(made, split)
            name = f"{made.task}.{part}"
            if name not in files:
                files[name] = (out / f"{name}.jsonl").open("w", encoding="utf-8")
            files[name].write(made.line())
            groups[part].add(article)
            counts[name] += 1
    finally:
        for file in files.values():
            file.close()
    both = groups["train"] & groups["valid"]
    if both:
        raise SettingsError([f"{len(both)} articles are in train and valid, {min(both)} is one"])
    if not counts["summary.train"]:
        raise SettingsError([f"{root}: nothing to learn from was found there"])
    return counts


def _all(
    sources: Sequence[tuple[Path, Any, str]], root: Path, counts: Counter[str], words: int
) -> Iterator[tuple[Made, str]]:
    """Every example with how its set is split."""
    for path, make, split in sources:
        for made in _every(path, make, counts, words):
            yield made, split
    for row, prompt, answer in judged(root):
        yield _made(row, "judgement", prompt, answer), "joined"


def _every(path: Path, make: Any, counts: Counter[str], words: int) -> Iterator[Made]:
    for number, row in read(path):
        if not may_ship(row):
            counts["left out: licence"] += 1
            continue
        try:
            yield from make(row, words)
        except (KeyError, TypeError, AttributeError) as error:
            raise BadArticle(
                f"{path}:{number}", f"a field is missing or wrong ({error})"
            ) from error


def posts_of(config: TrainingConfig) -> list[Path]:
    """What `build` is given besides; a file that is not there is told of, and done without."""
    if config.posts is None:
        return []
    if config.posts.is_file():
        return [config.posts]
    log.warning(
        "%s is not there: the examples have few articles. python -m training posts makes it, from "
        "checkouts of sites (it needs the network)",
        config.posts,
    )
    return []


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training examples", description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("runs/examples"))
    parser.add_argument("--words", type=int, default=SHOWN_WORDS, help="shown of an article")
    parser.add_argument("--more", type=Path, action="append", default=[], metavar="EXPORT.jsonl")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    for name, count in sorted(build(asked.data, asked.out, asked.more, asked.words).items()):
        log.info("%-22s %6d", name, count)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
