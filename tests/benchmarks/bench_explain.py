"""How good explanations and answers are, beside the simplest thing that could be done.

    python tests/benchmarks/bench_explain.py --data ../shared/data [--encoder FOLDER] glossary names ask

glossary: the CNCF terms explained from the whole entries, judged against their definitions; the
bundled glossary holds the same definitions, so it is left out. names: Korean spellings of English
names by sound. ask: questions that what was read answers, and the same ones once that is gone.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
from benchmarks.bench_retrieval import opened, rows  # noqa: E402
from support.builders import a_record  # noqa: E402
from support.fakes import FakeDigests  # noqa: E402
from support.kept_vectors import KeptVectors  # noqa: E402

from core.article import Article, Language  # noqa: E402
from core.chunks import cut  # noqa: E402
from core.explaining import Explainer, Explanation  # noqa: E402
from core.judging.hangul import ALIKE, is_hangul, likeness  # noqa: E402
from core.judging.names import _table  # noqa: E402
from core.language import words  # noqa: E402
from core.library import Everything, Filters, Hit, LibraryState, Passage, Reach  # noqa: E402
from core.ports import Encoder  # noqa: E402
from core.retrieval.answering import ENOUGH, Answer, Answerer  # noqa: E402
from core.retrieval.passages import rank_passages  # noqa: E402
from core.retrieval.ranking import Shelf  # noqa: E402
from core.retrieval.searching import candidates, understand  # noqa: E402
from core.settings import RetrievalSettings  # noqa: E402

Row = dict[str, Any]
_CANDIDATES = 60


class ShelfLibrary:
    """`core.ports.Library` on an index without a database. `hidden` documents are not found."""

    def __init__(self, shelf: Shelf, docs: Sequence[Row], encoder: Encoder) -> None:
        self.docs = {doc["id"]: doc for doc in docs}
        self.hidden = ""
        self._shelf = shelf
        self._encoder = encoder

    @classmethod
    async def of(cls, docs: Sequence[Row], encoder: Encoder) -> ShelfLibrary:
        return cls(await Shelf.of(docs, encoder, RetrievalSettings()), docs, encoder)

    async def passages(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 3,
        rewrites: Sequence[str] = (),
    ) -> list[Passage]:
        found = []
        shelf = self._shelf
        question = await understand(query, self._encoder, rewrites)
        heads = candidates(shelf.index, question, None, shelf.settings, _CANDIDATES)
        for one in rank_passages(shelf.index, question, heads, shelf.bodies, shelf.settings):
            if one.key == self.hidden:
                continue
            doc = self.docs[one.key]
            found += [
                Passage(
                    digest_id=one.key,
                    title=doc["title"],
                    link=None,
                    language=doc["language"],
                    position=passage.position,
                    text=self._shelf.bodies[one.key].texts[passage.position],
                    score=one.score + passage.strength,
                    parts=passage.parts,
                )
                for passage in one.passages[:2]
            ]
        return sorted(found, key=lambda passage: -passage.score)[:limit]

    async def search(
        self,
        query: str,
        *,
        reach: Reach,
        filters: Filters | None = None,
        limit: int = 10,
        rewrites: Sequence[str] = (),
    ) -> list[Hit]:
        return []

    async def add(self, record: Any, article: Any) -> None:
        raise NotImplementedError

    async def remove(self, digest_ids: Sequence[str]) -> None:
        raise NotImplementedError

    async def state(self) -> LibraryState:
        return LibraryState(len(self.docs), len(self.docs), 0)


# --- the glossary


async def glossary(data: Path, encoder: Encoder) -> None:
    entries = rows(data / "glossary" / "cncf.jsonl.gz")
    docs = [
        {"id": f"{e['slug']}-{e['language']}", "title": e["term"], "text": e["full"],
         "language": e["language"]}
        for e in entries
    ]  # fmt: skip
    library = await ShelfLibrary.of(docs, encoder)
    digests = FakeDigests()
    for doc in docs:
        await digests.add(a_record(id=doc["id"]), content_hash=doc["id"])
    explainer = Explainer(library, digests, None, lambda term, language: None, list)
    print(
        "| language | system | explained | own entry | ROUGE-L | likeness |\n|---|---|---|---|---|---|"
    )
    for language in ("en", "ko"):
        chosen = [e for e in entries if e["language"] == language]
        ours, own = [], 0
        for entry in chosen:
            found = await explainer.explain(entry["term"].split(" (")[0], language, Everything())
            ours.append(found.explanation if isinstance(found, Explanation) else "")
            if isinstance(found, Explanation) and found.said[0].article is not None:
                own += found.said[0].article.digest_id == f"{entry['slug']}-{language}"
        first = [sentences_of(e, 1) for e in chosen]
        for name, texts, right in (
            ("ours", ours, f"{own}/{len(chosen)}"),
            ("first sentence copied", first, "given"),
            ("first three copied", [sentences_of(e, 3) for e in chosen], "given"),
        ):
            rouge = np.mean(
                [rouge_l(t, e["definition"], language) for t, e in zip(texts, chosen, strict=True)]
            )
            alike = await likenesses(texts, [e["definition"] for e in chosen], language, encoder)
            said = sum(map(bool, texts))
            print(
                f"| {language} | {name} | {said}/{len(chosen)} | {right} | {rouge:.3f} | {alike:.3f} |"
            )


def sentences_of(entry: Row, count: int) -> str:
    found = cut(Article(content=entry["full"], language=entry["language"]), 1000).sentences
    return " ".join(one.text for one in found[:count])


def rouge_l(text: str, reference: str, language: Language) -> float:
    """F1 over stems or morphemes: rouge-score's own tokeniser drops Hangul."""
    mine, theirs = words(text, language), words(reference, language)
    if not mine or not theirs:
        return 0.0
    row = [0] * (len(theirs) + 1)
    for one in mine:
        before, row = row, [0]
        for at, other in enumerate(theirs, start=1):
            row.append(before[at - 1] + 1 if one == other else max(before[at], row[-1]))
    return 2 * row[-1] / (len(mine) + len(theirs))


async def likenesses(
    texts: Sequence[str], others: Sequence[str], language: Language, encoder: Encoder
) -> float:
    """Mean cosine of MiniLM's vectors; for Korean, which it does not read, of word counts."""
    if language in encoder.reads:
        vectors = await encoder.embed([*texts, *others])
        both = zip(vectors[: len(texts)], vectors[len(texts) :], strict=True)
        return float(
            np.mean(
                [one @ other if t else 0.0 for (one, other), t in zip(both, texts, strict=True)]
            )
        )
    return float(np.mean([_counted(t, o, language) for t, o in zip(texts, others, strict=True)]))


def _counted(text: str, other: str, language: Language) -> float:
    one, two = words(text, language), words(other, language)
    kinds = sorted({*one, *two})
    if not one or not two:
        return 0.0
    a, b = (np.array([found.count(kind) for kind in kinds]) for found in (one, two))
    return float(a @ b / np.linalg.norm(a) / np.linalg.norm(b))


# --- names by sound


def names() -> None:
    """Pairs of the table that are transliterations by eye: those above 0.7 in likeness at best."""
    table = _table()
    korean = sorted({n for m in table for n in m.names if is_hangul(n)})
    latin = sorted(
        {n for m in table for n in m.names if not is_hangul(n) and len(n) > 3 and not n.isupper()}
    )
    own = {(a, b) for m in table for a in m.names for b in m.names}
    best = {a: max((likeness(a, b) for b in latin if (a, b) in own), default=0.0) for a in korean}
    borrowed = [a for a in korean if best[a] >= 0.7]
    print("| threshold | borrowed names found | wrong pairs of all |\n|---|---|---|")
    for threshold in (0.75, 0.8, ALIKE, 0.9):
        found = sum(best[a] >= threshold for a in borrowed)
        wrong = sum(likeness(a, b) >= threshold for a in korean for b in latin if (a, b) not in own)
        print(f"| {threshold} | {found}/{len(borrowed)} | {wrong}/{len(korean) * len(latin)} |")


# --- questions


@dataclass(frozen=True)
class Tried:
    """One question: the evidence while its article is there and once it is gone, and whether the
    answer cites that article first."""

    there: float
    gone: float
    right: bool


async def ask(data: Path, encoder: Encoder, count: int) -> None:
    """Known items: a question about one document, then the same with that document gone. The
    threshold is chosen on the questions with even numbers, all figures are of the odd ones."""
    sets: tuple[tuple[str, Language], ...] = (
        ("cncf", "en"),
        ("cncf", "ko"),
        ("go_blog", "en"),
        ("react_ko", "ko"),
    )
    tried: dict[str, list[Tried]] = {}
    for name, language in sets if count else sets[:2]:
        docs, questions = pool(data, name, language, count)
        library = await ShelfLibrary.of(docs, encoder)
        answerer = Answerer(library, encoder, None, enough=0.0)
        tried[f"{name} {language}"] = [await asked(answerer, library, *one) for one in questions]
    chosen = best_threshold([one for found in tried.values() for one in found[::2]])
    print(f"threshold in force {ENOUGH}; chosen on the even questions {chosen}\n")
    print(
        "| questions | count | AUC of evidence | answered when there | of them from its article |"
        " silent when not |\n|---|---|---|---|---|---|"
    )
    every = [one for found in tried.values() for one in found[1::2]]
    for title, found in [*((n, f[1::2]) for n, f in tried.items()), ("all", every)]:
        print(f"| {title} | {of(found, ENOUGH)}")
    print(
        "\n| threshold (all odd) | count | AUC | answered | right | silent |\n|---|---|---|---|---|---|"
    )
    for enough in sorted({0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7, chosen}):
        print(f"| {enough} | {of(every, enough)}")


async def asked(answerer: Answerer, library: ShelfLibrary, text: str, relevant: str) -> Tried:
    library.hidden = ""
    there = await answerer.ask(text, Everything())
    right = isinstance(there, Answer) and there.citations[0].digest_id == relevant
    library.hidden = relevant
    gone = await answerer.ask(text, Everything())
    return Tried(there.evidence, gone.evidence, right)


def best_threshold(tried: Sequence[Tried]) -> float:
    """A wrong answer is as bad as a missing one; of about equal ones (2 in 100) the lowest, which
    answers most."""
    steps = [round(0.01 * n, 2) for n in range(20, 81)]
    worth = {t: sum((one.there >= t) + (one.gone < t) for one in tried) for t in steps}
    return min(t for t in steps if worth[t] >= max(worth.values()) - 0.02 * len(tried))


def of(tried: Sequence[Tried], enough: float) -> str:
    answered = [one for one in tried if one.there >= enough]
    silent = sum(one.gone < enough for one in tried)
    total, right = len(tried), sum(one.right for one in answered)
    area = auc([one.there for one in tried], [one.gone for one in tried])
    return (
        f"{total} | {area:.3f} | {len(answered)}/{total} | {right}/{len(answered)} |"
        f" {silent}/{total} |"
    )


def auc(there: Sequence[float], gone: Sequence[float]) -> float:
    wins = [(a > b) + 0.5 * (a == b) for a in there for b in gone]
    return float(np.mean(wins))


def pool(
    data: Path, name: str, language: Language, count: int
) -> tuple[list[Row], list[tuple[str, str]]]:
    if name == "cncf":
        entries = [
            e for e in rows(data / "glossary" / "cncf.jsonl.gz") if e["language"] == language
        ]
        docs = [
            {"id": e["slug"], "title": e["term"], "text": e["full"], "language": language}
            for e in entries
        ]
        asks = (
            ("What is {}?", "Why would a team use {}?")
            if language == "en"
            else ("{}란 무엇인가요?", "{}은 왜 쓰나요?")
        )
        term = [e["term"].split(" (")[0] for e in entries]
        questions = [
            (a.format(t), e["slug"]) for a in asks for t, e in zip(term, entries, strict=True)
        ]
    else:
        docs = rows(data / "retrieval" / f"{name}_docs.jsonl.gz")
        queries = rows(data / "retrieval" / f"{name}_queries.jsonl.gz")
        questions = [(q["query"], q["relevant"][0]) for q in queries]
    random.Random(7).shuffle(questions)
    return docs, questions[:count] if name != "cncf" else questions


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="+", choices=("glossary", "names", "ask"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--kept", type=Path, help="a file that remembers vectors between runs")
    parser.add_argument(
        "--count",
        type=int,
        default=40,
        help="questions of each retrieval set; 0: of the glossary only",
    )
    options = parser.parse_args()
    started = time.monotonic()
    encoder = KeptVectors(opened(options.encoder), options.kept)
    try:
        await parts(options, encoder)
    finally:
        encoder.save()
    print(f"{time.monotonic() - started:.0f} s")


async def parts(options: argparse.Namespace, encoder: Encoder) -> None:
    if "glossary" in options.parts:
        await glossary(options.data, encoder)
    if "names" in options.parts:
        names()
    if "ask" in options.parts:
        await ask(options.data, encoder, options.count)


if __name__ == "__main__":
    asyncio.run(main())
