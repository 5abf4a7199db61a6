"""The term tagger: BIO labels on the encoder's token states, taught with weak labels.

    python -m training tagger --config config/training/tagger.yaml --data ../shared/data

Labels come from known names and code identifiers (`training/names/term_labels.py`); a share of the
names is hidden from the training, and the sites of the judged sentences are left out of it, so
that knowing the glossary by heart counts for nothing. Read on sentences that a person has marked
(`training/data/terms_gold.txt`), by entity (seqeval) and by word, beside known names alone and
noun phrases by TF-IDF. Leaves the head with its manifest, report, confusion matrices and curves in
the run's folder; nothing of it is in service.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.engine.encoder import CTranslate2Encoder
from core.judging.background import background
from core.language import is_stopword
from training.encoding import prepared
from training.names.tagging import (
    BEGINS,
    GOES_ON,
    OUTSIDE,
    Head,
    columns,
    spans,
)
from training.names.term_labels import IGNORED, key_of, label, names
from training.reporting import (
    classification,
    draw_confusion,
    draw_curves,
    interval,
    manifest,
    write_json,
)
from training.sets.term_sentences import Sentence, entities, gold, hidden_names, weak

NAMES = ("O", "B-term", "I-term")
Numbers = NDArray[np.float64]
Integers = NDArray[np.int64]
log = logging.getLogger(__name__)


def table(found: Sequence[Sentence], encoder: CTranslate2Encoder) -> list[Numbers]:
    """What the head sees, an array a sentence."""
    read = asyncio.run(encoder.states([one.text for one in found]))
    return [
        columns(one.words, states, one.language) for one, states in zip(found, read, strict=True)
    ]


# --- what is learned


def fit(
    seen: Sequence[Numbers], found: Sequence[Sentence], settings: dict[str, Any], encoder: str
) -> Head:
    """Two layers by AdamW. A word without a label counts as outside with the weight `unknown`."""
    import torch
    from torch.nn import functional

    torch.manual_seed(settings["seed"])
    x = torch.tensor(np.concatenate(seen), dtype=torch.float32)
    y = torch.tensor([one for sentence in found for one in sentence.labels])
    weight = torch.where(y == IGNORED, float(settings["unknown"]), 1.0)
    weight = torch.where(y == GOES_ON, float(settings["goes_on"]), weight)
    y = torch.where(y == IGNORED, OUTSIDE, y)
    size = settings["hidden"]
    model = torch.nn.Sequential(
        torch.nn.Linear(x.shape[1], size),
        torch.nn.ReLU(),
        torch.nn.Dropout(settings["dropout"]),
        torch.nn.Linear(size, len(NAMES)),
    )
    centre, width = x.mean(0), x.std(0) + 0.05
    x = (x - centre) / width
    steps = torch.optim.AdamW(
        model.parameters(), lr=settings["learning_rate"], weight_decay=settings["decay"]
    )
    for _ in range(settings["epochs"]):
        for batch in torch.randperm(len(x)).split(settings["batch"]):
            loss = functional.cross_entropy(model(x[batch]), y[batch], reduction="none")
            steps.zero_grad()
            (loss * weight[batch]).sum().div(weight[batch].sum() + 1e-6).backward()
            steps.step()
    with torch.no_grad():
        first = model[0].weight.T / width[:, None]
        bias = model[0].bias - (centre / width) @ model[0].weight.T
        parts = [first, bias, model[3].weight.T, model[3].bias]
        arrays = [np.asarray(part.numpy(), dtype=np.float32) for part in parts]
    return Head(encoder, arrays[0], arrays[1], arrays[2], arrays[3], settings["least"])


# --- what it is compared with

Guess = Callable[[Sentence, Numbers], list[int]]


def by_names(sentence: Sentence, _: Numbers) -> list[int]:
    """Known names alone, by heart: what a glossary can do."""
    known = names(sentence.language)
    labels, _there = label(sentence.words, sentence.language, known)
    return [_sure(sentence, place, labels, known) for place in range(len(labels))]


def _sure(sentence: Sentence, place: int, labels: Sequence[int], known: Any) -> int:
    """Without what only looks like code."""
    held = next(((s, e) for s, e in entities(labels) if s <= place < e), None)
    if held is None:
        return OUTSIDE
    key = key_of([word.text for word in sentence.words[slice(*held)]])
    return labels[place] if key in known else OUTSIDE


def by_labels(sentence: Sentence, _: Numbers) -> list[int]:
    """The rule that the weak labels are made by: names and what is spelled as code."""
    labels, _there = label(sentence.words, sentence.language, names(sentence.language))
    return [OUTSIDE if one == IGNORED else one for one in labels]


def by_rarity(least: float) -> Guess:
    """Noun phrases (runs of content words) whose words are rare on the mean: TF-IDF of a sentence."""

    def guess(sentence: Sentence, _: Numbers) -> list[int]:
        rare = background(sentence.language)
        content = [
            word.text[0].isalpha() and word.noun and not is_stopword(word.text)
            for word in sentence.words
        ]
        labels = [OUTSIDE] * len(content)
        place = 0
        while place < len(content):
            end = place
            while end < len(content) and content[end]:
                end += 1
            keys = key_of([word.text for word in sentence.words[place:end]])
            if keys and np.mean([min(8.0, rare.idf(key)) for key in keys]) >= least:
                labels[place:end] = [BEGINS] + [GOES_ON] * (end - place - 1)
            place = max(end, place + 1)
        return labels

    return guess


def by_head(head: Head, least: float) -> Guess:
    def guess(sentence: Sentence, seen: Numbers) -> list[int]:
        labels = [OUTSIDE] * len(sentence.words)
        for span in spans(sentence.words, head.chances(seen), least):
            held = [
                p for p, word in enumerate(sentence.words) if span.start <= word.start < span.end
            ]
            for number, place in enumerate(held):
                labels[place] = GOES_ON if number else BEGINS
        return labels

    return guess


def beside(first: Guess, second: Guess) -> Guess:
    """The terms of both; of two that overlap the longer, of equal ones the first's."""

    def guess(sentence: Sentence, seen: Numbers) -> list[int]:
        both = [*entities(first(sentence, seen)), *entities(second(sentence, seen))]
        labels = [OUTSIDE] * len(sentence.words)
        for start, end in sorted(both, key=lambda one: one[0] - one[1]):
            if not any(labels[start:end]):
                labels[start:end] = [BEGINS] + [GOES_ON] * (end - start - 1)
        return labels

    return guess


# --- what it is worth


@dataclass(frozen=True, slots=True)
class Read:
    """Of a way on sentences: labels by sentence, beside the true ones."""

    truth: list[list[int]]
    guessed: list[list[int]]
    sentences: Sequence[Sentence]

    def figures(self) -> dict[str, Any]:
        """By entity (seqeval) with an interval over sentences, by word, and of names in no list."""
        words = [
            (t, g)
            for ts, gs in zip(self.truth, self.guessed, strict=True)
            for t, g in zip(ts, gs, strict=True)
        ]
        low, high = interval(self._f1, len(self.truth), draws=300)
        return {
            "entity": {**self._entity(range(len(self.truth))), "interval": [low, high]},
            "words": classification([NAMES[t] for t, _ in words], [NAMES[g] for _, g in words]),
            "unlisted": self._unlisted(),
        }

    def _entity(self, chosen: Sequence[int] | range) -> dict[str, float]:
        from seqeval.metrics import f1_score, precision_score, recall_score

        truth = [[NAMES[one] for one in self.truth[place]] for place in chosen]
        guessed = [[NAMES[one] for one in self.guessed[place]] for place in chosen]
        return {
            "precision": float(precision_score(truth, guessed, zero_division=0)),
            "recall": float(recall_score(truth, guessed, zero_division=0)),
            "f1": float(f1_score(truth, guessed, zero_division=0)),
        }

    def _f1(self, draw: Integers) -> float:
        return self._entity([int(place) for place in draw])["f1"]

    def _unlisted(self) -> dict[str, float]:
        """Terms, true and guessed, whose name is in no list of ours: nothing learned by heart."""
        right = said = true = 0
        for sentence, ts, gs in zip(self.sentences, self.truth, self.guessed, strict=True):
            known = names(sentence.language)
            wanted, given = (
                {
                    e
                    for e in entities(labels)
                    if key_of([w.text for w in sentence.words[slice(*e)]]) not in known
                }
                for labels in (ts, gs)
            )
            right, said, true = right + len(wanted & given), said + len(given), true + len(wanted)
        precision, recall = right / max(1, said), right / max(1, true)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        return {"precision": precision, "recall": recall, "f1": f1, "terms": true}


def read_by(guess: Guess, found: Sequence[Sentence], seen: Sequence[Numbers]) -> Read:
    guessed = [guess(one, rows_) for one, rows_ in zip(found, seen, strict=True)]
    return Read([one.labels for one in found], guessed, found)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training tagger", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/tagger.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", type=Path, help="a prepared encoder's folder")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: dict[str, Any] = yaml.safe_load(asked.config.read_text("utf-8"))
    encoder = CTranslate2Encoder(asked.encoder or prepared(), threads=1)
    begun = time.monotonic()
    found = weak(asked.data, settings, hidden_names(settings["hidden_names"], settings["seed"]))
    head = fit(table(found, encoder), found, settings, encoder.name.split("@")[0])
    report = {
        "sentences": len(found),
        "seconds": round(time.monotonic() - begun, 1),
        **compare(head, encoder, settings),
    }
    out = Path(settings["out"])
    write_json(report, out / "report.json")
    _draw(report, out)
    head.save(out / "tagger.npz")
    paths = [asked.data / f"{name}.jsonl.gz" for name in settings["sources"]]
    write_json(manifest(settings, paths, report), out / "manifest.json")
    return 0


def compare(head: Head, encoder: CTranslate2Encoder, settings: dict[str, Any]) -> dict[str, Any]:
    """All ways on the marked sentences, by language; logged as a table."""
    marked = gold()
    seen = table(marked, encoder)
    ways: dict[str, Guess] = {
        "noun phrases, TF-IDF": by_rarity(settings["rarity"]),
        "known names": by_names,
        "names and code": by_labels,
        "ours": by_head(head, settings["least"]),
        "names, code and ours": beside(by_labels, by_head(head, settings["least"])),
    }
    report: dict[str, Any] = {}
    for language in ("en", "ko"):
        mine = [place for place, one in enumerate(marked) if one.language == language]
        chosen, given = [marked[p] for p in mine], [seen[p] for p in mine]
        report[language] = {
            way: read_by(guess, chosen, given).figures() for way, guess in ways.items()
        }
        report[language]["curve"] = _curve(head, chosen, given)
        for way in ways:
            _tell(language, way, report[language][way])
    return report


def _curve(head: Head, found: Sequence[Sentence], seen: Sequence[Numbers]) -> dict[str, list[Any]]:
    """Of each word whether it is in a term, and the chance of it."""
    truth = [int(one != OUTSIDE) for sentence in found for one in sentence.labels]
    chances = np.concatenate([1.0 - head.chances(rows_)[:, OUTSIDE] for rows_ in seen])
    return {"truth": truth, "scores": [round(float(one), 4) for one in chances]}


def _tell(language: str, way: str, found: dict[str, Any]) -> None:
    entity, words, unlisted = found["entity"], found["words"], found["unlisted"]
    log.info(
        "%s | %s | entity P %.3f R %.3f F1 %.3f [%.2f, %.2f] | words micro %.3f macro %.3f | unlisted P %.3f R %.3f F1 %.3f",
        language,
        way,
        entity["precision"],
        entity["recall"],
        entity["f1"],
        *entity["interval"],
        words["micro"]["f1"],
        words["macro"]["f1"],
        unlisted["precision"],
        unlisted["recall"],
        unlisted["f1"],
    )


def _draw(report: dict[str, Any], out: Path) -> None:
    for language in ("en", "ko"):
        draw_confusion(
            report[language]["ours"]["words"],
            out / f"confusion_{language}.png",
            f"terms, {language}",
        )
    curves = {language: report[language].pop("curve") for language in ("en", "ko")}
    draw_curves(
        {name: (one["truth"], one["scores"]) for name, one in curves.items()}, out / "curves.png"
    )


if __name__ == "__main__":
    raise SystemExit(main())
