"""Two ways to show a sentence pair to a classifier, compared with the Trainer (blueprint B11).

    python -m training pairs --only comparison [--file MNLI.jsonl.gz]

Two segments (`[CLS] premise [SEP] hypothesis [SEP]`, token types 0 and 1) against one text (both
sentences after one another, nothing between them). Same rows, same seeds, same steps; one table,
with the majority and the hypothesis alone (TF-IDF, logistic regression) as what has to be beaten.
Any JSON lines with premise (or sentence1), hypothesis (or sentence2) and label will do.
"""

from __future__ import annotations

import gzip
import json
import logging
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from training.classifier import fit, predict
from training.reporting import (
    classification,
    draw_confusion,
    draw_curves,
    interval,
    write_json,
)

LABELS = ("entailment", "neutral", "contradiction")
WAYS = ("two segments", "one text")
Pair = tuple[str, str, int]
Integers = NDArray[np.int64]
log = logging.getLogger(__name__)


def read_pairs(path: Path) -> list[Pair]:
    """Raises SettingsError where the file has no usable row. Unlabelled rows ("-") are left out."""
    opened = gzip.open if path.suffix == ".gz" else open
    found: list[Pair] = []
    with opened(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            label = row.get("label", row.get("gold_label"))
            if label in LABELS:
                first = row.get("premise", row.get("sentence1"))
                second = row.get("hypothesis", row.get("sentence2"))
                found.append((str(first), str(second), LABELS.index(label)))
    if not found:
        raise SettingsError([f"{path}: no row with premise, hypothesis and label"])
    return found


def short(found: Sequence[Pair], folder: str, most: int) -> list[Pair]:
    """Pairs of at most so many tokens: what is cut off says neither yes nor no, and costs most.

    Raises SettingsError where none is left.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    kept = [pair for pair in found if len(tokenizer(pair[0], pair[1])["input_ids"]) <= most]
    if not kept:
        raise SettingsError([f"no pair of at most {most} tokens"])
    log.info("%d of %d pairs have at most %d tokens", len(kept), len(found), most)
    return kept


def split(found: Sequence[Pair], train: int, test: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Premises of the test are in no row of the training: their other hypotheses would help."""
    premises = sorted({first for first, _, _ in found})
    random.Random(seed).shuffle(premises)  # noqa: S311
    by_premise: dict[str, list[Pair]] = {}
    for pair in found:
        by_premise.setdefault(pair[0], []).append(pair)
    ordered = [pair for premise in premises for pair in by_premise[premise]]
    cut = min(test, len(ordered) // 3)
    tested, rest = ordered[:cut], ordered[cut:]
    seen = {first for first, _, _ in tested}
    return [pair for pair in rest if pair[0] not in seen][:train], tested


def encode(tokenizer: Any, found: Sequence[Pair], way: str, most: int) -> list[dict[str, Any]]:
    """Token ids, with the token types of two segments or all 0."""
    rows = []
    for first, second, label in found:
        if way == "two segments":
            read = tokenizer(
                first,
                second,
                truncation="longest_first",
                max_length=most,
                return_token_type_ids=True,
            )
        else:
            read = tokenizer(f"{first} {second}", truncation=True, max_length=most)
        row = {name: read[name] for name in ("input_ids", "attention_mask")}
        types = read.get("token_type_ids") or [0] * len(read["input_ids"])
        rows.append({**row, "token_type_ids": types, "labels": label})
    return rows


def compare(file: Path, settings: dict[str, Any], out: Path, folder: str) -> dict[str, Any]:
    """Trains each way with each seed; the table is logged and written.

    `folder`: a transformers folder or hub id. Baselines are read on the same rows.
    """
    found = short(read_pairs(file), folder, settings["max_tokens"])
    name = file.name.split(".")[0]
    runs: dict[str, list[dict[str, Any]]] = {way: [] for way in (*_BASELINES, *WAYS)}
    drawn: dict[str, tuple[list[int], list[float]]] = {}
    for seed in settings["seeds"]:
        train, test = split(found, settings["train"], settings["test"], seed)
        truth = [label for _, _, label in test]
        for way, baseline in _BASELINES.items():
            runs[way].append(_result(seed, truth, baseline(train, test), 0.0))
        for way in WAYS:
            begun = time.monotonic()
            given = _trained(folder, train, test, way, seed, settings)
            guessed = [int(row.argmax()) for row in given]
            runs[way].append(_result(seed, truth, guessed, time.monotonic() - begun))
            runs[way][-1]["trained on"] = len(train)
            _tell(way, runs[way][-1])
            before = drawn.setdefault(way, ([], []))
            before[0].extend(int(label == 0) for label in truth)
            before[1].extend(float(row[0]) for row in given)
    table = {way: _mean(results) for way, results in runs.items()}
    for way in WAYS:
        draw_confusion(table[way], out / f"{name}_{way.split()[0]}.png", f"{name}, {way}")
    draw_curves(drawn, out / f"{name}_entailment_curves.png")
    report = {
        "file": file.name,
        "encoder": Path(folder).name,
        "settings": settings,
        "table": table,
        "difference": _difference(runs),
        "runs": runs,
    }
    write_json(report, out / f"{name}_comparison.json")
    for way, one in table.items():
        _tell(way, one)
    log.info("two segments less one text, accuracy: %s", report["difference"])
    return report


def _trained(
    folder: str,
    train: Sequence[Pair],
    test: Sequence[Pair],
    way: str,
    seed: int,
    settings: dict[str, Any],
) -> NDArray[np.float64]:
    """Probabilities of LABELS, a row each test pair."""
    most = settings["max_tokens"]
    model, tokenizer = fit(
        folder, lambda t: encode(t, train, way, most), len(LABELS), seed, settings
    )
    return predict(model, tokenizer, encode(tokenizer, test, way, most))


def _majority(train: Sequence[Pair], test: Sequence[Pair]) -> list[int]:
    labels = [label for _, _, label in train]
    return [max(sorted(set(labels)), key=labels.count)] * len(test)


def _hypothesis(train: Sequence[Pair], test: Sequence[Pair]) -> list[int]:
    """What the second sentence gives away without the first."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    cutter = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
    model = make_pipeline(cutter, LogisticRegression(max_iter=1000))
    model.fit([second for _, second, _ in train], [label for _, _, label in train])
    return [int(label) for label in model.predict([second for _, second, _ in test])]


_BASELINES = {"majority": _majority, "hypothesis alone": _hypothesis}


def _result(
    seed: int, truth: Sequence[int], guesses: Sequence[int], seconds: float
) -> dict[str, Any]:
    right = np.array(truth) == np.array(guesses)
    low, high = interval(lambda draw: float(right[draw].mean()), len(right))
    report = classification([LABELS[t] for t in truth], [LABELS[g] for g in guesses])
    more = {"accuracy_interval": [low, high], "right": right.astype(int).tolist()}
    return {"seed": seed, "tested": len(truth), "seconds": round(seconds, 1), **report, **more}


def _mean(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Over the seeds; the interval and the confusion are those of all their test rows together."""
    right = np.concatenate([one["right"] for one in results])
    low, high = interval(lambda draw: float(right[draw].mean()), len(right))
    accuracies = [one["accuracy"] for one in results]
    return {
        "accuracy": float(np.mean(accuracies)),
        "accuracy_interval": [low, high],
        "accuracy_by_seed": [round(value, 3) for value in accuracies],
        "accuracy_spread": float(np.std(accuracies, ddof=1)) if len(accuracies) > 1 else 0.0,
        "micro": {"f1": float(np.mean([one["micro"]["f1"] for one in results]))},
        "macro": {"f1": float(np.mean([one["macro"]["f1"] for one in results]))},
        "seconds": float(np.mean([one["seconds"] for one in results])),
        "labels": sorted(LABELS),
        "confusion": sum(_whole(one) for one in results).tolist(),
    }


def _whole(one: dict[str, Any]) -> Any:
    """The confusion over all labels, those too that this run never saw nor said."""
    places = [sorted(LABELS).index(label) for label in one["labels"]]
    whole = np.zeros((len(LABELS), len(LABELS)), dtype=int)
    whole[np.ix_(places, places)] = one["confusion"]
    return whole


def _difference(runs: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Of the accuracies, with the interval of pairs of answers to the same rows."""
    two, one = (np.concatenate([run["right"] for run in runs[way]]) for way in WAYS)
    apart = two - one
    low, high = interval(lambda draw: float(apart[draw].mean()), len(apart))
    return {"mean": round(float(apart.mean()), 4), "interval": [round(low, 4), round(high, 4)]}


def _tell(way: str, one: dict[str, Any]) -> None:
    low, high = one["accuracy_interval"]
    log.info(
        "| %s | %s | %.3f [%.3f, %.3f] | %.3f | %.3f | %.0f s |",
        way,
        one.get("seed", "mean"),
        one["accuracy"],
        low,
        high,
        one["micro"]["f1"],
        one["macro"]["f1"],
        one["seconds"],
    )
