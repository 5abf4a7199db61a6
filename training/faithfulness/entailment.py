"""Two ways to show a sentence pair to a classifier, compared with the Trainer (blueprint B11).

    python -m training pairs --only comparison [--file MNLI.jsonl.gz]

Two segments (`[CLS] premise [SEP] hypothesis [SEP]`, token types 0 and 1) against one text (both
sentences after one another, nothing between them). Same rows, same seeds, same steps; one table,
with the majority and the hypothesis alone (TF-IDF, logistic regression) as what has to be beaten.
Any JSON lines with premise (or sentence1), hypothesis (or sentence2) and label will do; rows that
name an `article` are split by it. Each run is remembered: what is cut short goes on where it
stopped, and several processes can share the seeds (`--seeds 1 2`; `--seeds` alone trains nothing
and makes the table of what there is).
"""

from __future__ import annotations

import gzip
import json
import logging
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from training.faithfulness.classifier import fit, predict
from training.faithfulness.romanizing import romanized
from training.lines import remembered
from training.reporting import (
    classification,
    draw_confusion,
    draw_curves,
    interval,
    write_json,
)

LABELS = ("entailment", "neutral", "contradiction")
WAYS = ("two segments", "one text")
Integers = NDArray[np.int64]
log = logging.getLogger(__name__)


class Pair(NamedTuple):
    """`label` is a place in LABELS; `article`: pairs of one are never trained on and tested."""

    first: str
    second: str
    label: int
    article: str = ""


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
                article = str(row.get("article", ""))
                found.append(Pair(str(first), str(second), LABELS.index(label), article))
    if not found:
        raise SettingsError([f"{path}: no row with premise, hypothesis and label"])
    return found


def short(
    found: Sequence[Pair], folder: str, most: int, spelled: Callable[[str], str] = str
) -> list[Pair]:
    """Pairs of at most so many tokens: what is cut off says neither yes nor no, and costs most.

    Raises SettingsError where none is left.
    """
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    read = [tokenizer(spelled(pair.first), spelled(pair.second))["input_ids"] for pair in found]
    kept = [pair for pair, ids in zip(found, read, strict=True) if len(ids) <= most]
    if not kept:
        raise SettingsError([f"no pair of at most {most} tokens"])
    log.info("%d of %d pairs have at most %d tokens", len(kept), len(found), most)
    # MiniLM has no letter for many a Korean ending: the whole word is lost then.
    unknown = sum(tokenizer.unk_token_id in ids for ids in read)
    log.info("%d have words that the encoder has no token for", unknown)
    return kept


def evened(found: Sequence[Pair], seed: int) -> list[Pair]:
    """As many of each label: among short pairs most are of another article, which is soon told."""
    chance = random.Random(seed)  # noqa: S311
    by_label = [[pair for pair in found if pair.label == label] for label in range(len(LABELS))]
    fewest = min(map(len, by_label))
    return [pair for mine in by_label for pair in chance.sample(mine, fewest)]


def split(found: Sequence[Pair], train: int, test: int, seed: int) -> tuple[list[Pair], list[Pair]]:
    """Premises (articles, where they are named) of the test are in no row of the training: their
    other hypotheses would help."""
    by_premise: dict[str, list[Pair]] = {}
    for pair in found:
        by_premise.setdefault(_origin(pair), []).append(pair)
    premises = sorted(by_premise)
    random.Random(seed).shuffle(premises)  # noqa: S311
    ordered = [pair for premise in premises for pair in by_premise[premise]]
    cut = min(test, len(ordered) // 3)
    tested, rest = ordered[:cut], ordered[cut:]
    seen = {_origin(pair) for pair in tested}
    return [pair for pair in rest if _origin(pair) not in seen][:train], tested


def _origin(pair: Pair) -> str:
    return pair.article or pair.first


def encode(
    tokenizer: Any,
    found: Sequence[Pair],
    way: str,
    most: int,
    spelled: Callable[[str], str] = str,
) -> list[dict[str, Any]]:
    """Token ids, with the token types of two segments or all 0."""
    rows = []
    for pair in found:
        first, second, label = spelled(pair.first), spelled(pair.second), pair.label
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


def compare(
    file: Path,
    settings: dict[str, Any],
    out: Path,
    folder: str,
    seeds: Sequence[int] | None = None,
) -> dict[str, Any]:
    """Trains each way with each seed, or with `seeds` only; the table of all runs there are is
    logged and written.

    `folder`: a transformers folder or hub id. Baselines are read on the same rows.
    """
    found = short(read_pairs(file), folder, settings["max_tokens"], _spelling(settings))
    if settings.get("even"):
        found = evened(found, settings["seeds"][0])
    name = named(file)
    key = {**{k: v for k, v in settings.items() if k != "seeds"}, "pairs": len(found)}
    known = Remembered(out / f"{name}_runs", key)
    for seed in settings["seeds"] if seeds is None else seeds:
        _run(found, settings, folder, seed, known)
    runs = {way: known.all(way, settings["seeds"]) for way in (*_BASELINES, *WAYS)}
    if not all(runs.values()):
        raise SettingsError([f"{name}: a way has no run yet, so there is no table"])
    return _table(file, settings, out, Path(folder).name, runs)


def _spelling(settings: dict[str, Any]) -> Callable[[str], str]:
    return romanized if settings.get("romanized") else str


def named(file: Path) -> str:
    """A file called "train" goes by its folder's name."""
    name = file.name.split(".")[0]
    return file.parent.name if name in ("train", "valid", "dev") else name


def _run(
    found: Sequence[Pair], settings: dict[str, Any], folder: str, seed: int, known: Remembered
) -> None:
    """Baselines and ways on one split, those left out that are remembered."""
    train, test = split(found, settings["train"], settings["test"], seed)
    truth = [pair.label for pair in test]
    for way, baseline in _BASELINES.items():
        if not known.has(way, seed):
            known.keep(way, _result(seed, truth, baseline(train, test), 0.0))
    for way in WAYS:
        if known.has(way, seed):
            continue
        begun = time.monotonic()
        given = _trained(folder, train, test, way, seed, settings)
        guessed = [int(row.argmax()) for row in given]
        made = _result(seed, truth, guessed, time.monotonic() - begun)
        curve = {
            "entailed": [int(label == 0) for label in truth],
            "entailment": [round(float(row[0]), 5) for row in given],
        }
        known.keep(way, {**made, "trained on": len(train), **curve})
        _tell(way, made)


@dataclass(frozen=True, slots=True)
class Remembered:
    """A file each run; those of other settings count as not there."""

    folder: Path
    key: dict[str, Any]

    def _path(self, way: str, seed: int) -> Path:
        return self.folder / f"{way.replace(' ', '_')}_{seed}.json"

    def has(self, way: str, seed: int) -> bool:
        return remembered(self._path(way, seed), self.key) is not None

    def keep(self, way: str, run: dict[str, Any]) -> None:
        write_json({"key": self.key, "run": run}, self._path(way, run["seed"]))

    def all(self, way: str, seeds: Sequence[int]) -> list[dict[str, Any]]:
        found = (remembered(self._path(way, seed), self.key) for seed in seeds)
        return [one["run"] for one in found if one is not None]


def _table(
    file: Path,
    settings: dict[str, Any],
    out: Path,
    encoder: str,
    runs: dict[str, list[dict[str, Any]]],
) -> dict[str, Any]:
    name = named(file)
    table = {way: _mean(results) for way, results in runs.items()}
    for way in WAYS:
        draw_confusion(table[way], out / f"{name}_{way.split()[0]}.png", f"{name}, {way}")
    curves = {
        way: (
            [x for r in runs[way] for x in r["entailed"]],
            [x for r in runs[way] for x in r["entailment"]],
        )
        for way in WAYS
    }
    draw_curves(curves, out / f"{name}_entailment_curves.png")
    report = {
        "file": file.name,
        "encoder": encoder,
        "settings": settings,
        "table": table,
        "difference": _difference(runs),
        "runs": {
            way: [
                {k: v for k, v in one.items() if k not in ("entailed", "entailment")} for one in own
            ]
            for way, own in runs.items()
        },
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
    most, spelled = settings["max_tokens"], _spelling(settings)

    def encoded(tokenizer: Any, pairs: Sequence[Pair]) -> list[dict[str, Any]]:
        return encode(tokenizer, pairs, way, most, spelled)

    model, tokenizer = fit(folder, lambda t: encoded(t, train), len(LABELS), seed, settings)
    return predict(model, tokenizer, encoded(tokenizer, test))


def _majority(train: Sequence[Pair], test: Sequence[Pair]) -> list[int]:
    labels = [pair.label for pair in train]
    return [max(sorted(set(labels)), key=labels.count)] * len(test)


def _hypothesis(train: Sequence[Pair], test: Sequence[Pair]) -> list[int]:
    """What the second sentence gives away without the first."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    cutter = TfidfVectorizer(analyzer="char_wb", ngram_range=(1, 4), min_df=2, sublinear_tf=True)
    model = make_pipeline(cutter, LogisticRegression(max_iter=1000))
    model.fit([pair.second for pair in train], [pair.label for pair in train])
    return [int(label) for label in model.predict([pair.second for pair in test])]


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
    """Of the accuracies, with the interval of pairs of answers to the same rows; by seed beside."""
    by_seed = [{run["seed"]: np.array(run["right"]) for run in runs[way]} for way in WAYS]
    seeds = [seed for seed in by_seed[0] if seed in by_seed[1]]
    apart = [by_seed[0][seed] - by_seed[1][seed] for seed in seeds]
    if not apart:
        return {"mean": 0.0, "interval": [0.0, 0.0], "by_seed": []}
    whole = np.concatenate(apart)
    low, high = interval(lambda draw: float(whole[draw].mean()), len(whole))
    return {
        "mean": round(float(whole.mean()), 4),
        "interval": [round(low, 4), round(high, 4)],
        "by_seed": [round(float(one.mean()), 4) for one in apart],
    }


def _tell(way: str, one: dict[str, Any]) -> None:
    low, high = one["accuracy_interval"]
    log.info(
        "| %s | %s | %.3f%s [%.3f, %.3f] | %.3f | %.3f | %.0f s |",
        way,
        one.get("seed", "mean"),
        one["accuracy"],
        f" ± {one['accuracy_spread']:.3f}" if "accuracy_spread" in one else "",
        low,
        high,
        one["micro"]["f1"],
        one["macro"]["f1"],
        one["seconds"],
    )
