"""A cross-encoder beside the signs of faithfulness: MiniLM reads passage and claim together.

    python -m training cross --config config/training/cross.yaml --data ../shared/data

It is taught on the weak claims of `training/faithfulness/claims.py`, each with the passages of its article that
cover it best, and read on `consistency/dev` by kind of lie: the signs alone, its score alone,
both in one logistic combination fitted on articles that it was not taught on, and the same with
what it says for a claim left out. Short pairs, as
many of each label, are left as `mnli_en.jsonl` for `python -m training pairs --only comparison --file`.

Three steps, each of which leaves files for the next: pairs (`--prepare`), scores of each variant
and seed (`--variants NAME …` for some; those that are there are not made again), the report
(`--report` alone needs no encoder). With `config/training/cross_gpu.yaml` ten times the pairs and
several variants on a card.
"""

from __future__ import annotations

import argparse
import logging
import random
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.errors import SettingsError
from core.judging.faithful import BORNE
from training.faithfulness.classifier import fit, predict
from training.faithfulness.cross_pairs import evaluation, mnli, weak
from training.lines import leave, remembered
from training.model.bases import encoder_folder
from training.reporting import auc, classification, draw_confusion, draw_curves, write_json

KINDS = ("other_document", "negation", "antonym", "number")
WAYS = ("signs", "cross", "both", "lowered")
Numbers = NDArray[np.float64]
Row = dict[str, Any]
log = logging.getLogger(__name__)


def encode(tokenizer: Any, found: Sequence[Row], most: int, passage: str = "premise") -> list[Row]:
    """Passage and claim as two segments; of what is too long the passage is cut."""
    made = []
    for row in found:
        read = tokenizer(
            row[passage],
            row["hypothesis"],
            truncation="only_first" if len(row["hypothesis"]) < most else "longest_first",
            max_length=most,
            return_token_type_ids=True,
        )
        made.append({**read, "labels": int(row.get("label") == "entailment")})
    return made


def split(found: Sequence[Row], share: float, seed: int) -> tuple[list[Row], list[Row]]:
    """By article: what the combination is fitted on, the cross-encoder has not seen."""
    articles = sorted({row["article"] for row in found})
    random.Random(seed).shuffle(articles)  # noqa: S311
    taught = set(articles[: round(share * len(articles))])
    return (
        [row for row in found if row["article"] in taught],
        [row for row in found if row["article"] not in taught],
    )


def balanced(found: Sequence[Row], kinds: dict[str, float], count: int, seed: int) -> list[Row]:
    """So many rows, each kind with its share, none twice."""
    chance = random.Random(seed)  # noqa: S311
    whole = sum(kinds.values())
    chosen: list[Row] = []
    for kind, share in kinds.items():
        mine = [row for row in found if row["kind"] == kind]
        chance.shuffle(mine)
        chosen += mine[: round(count * share / whole)]
    chance.shuffle(chosen)
    return chosen


def _logit(probabilities: Sequence[float] | Numbers) -> Numbers:
    clipped = np.clip(np.asarray(probabilities, dtype=float), 1e-4, 1 - 1e-4)
    return np.asarray(np.log(clipped / (1 - clipped)))


def combined(held: Sequence[Row], given: Numbers) -> tuple[float, float, float]:
    """Constant and weights of the two logits: `signs` and the cross-encoder, neither below 0."""
    from scipy.optimize import minimize

    table = np.column_stack([_logit([row["signs"] for row in held]), _logit(given)])
    truth = np.array([row["label"] == "entailment" for row in held], dtype=float)
    kinds = [row["kind"] for row in held]
    weight = np.array([1.0 / kinds.count(kind) for kind in kinds])
    weight[truth == 1] *= weight[truth == 0].sum() / weight[truth == 1].sum()

    def loss(b: Numbers) -> float:
        logit = b[0] + table @ b[1:]
        return float((weight * (np.logaddexp(0, logit) - truth * logit)).sum())

    found = minimize(loss, np.array([0.0, 1.0, 0.5]), bounds=[(None, None), (0, None), (0, None)])
    return float(found.x[0]), float(found.x[1]), float(found.x[2])


def claim_scores(found: Sequence[Row], parts: Sequence[Numbers]) -> list[float]:
    """A claim of several sentences: mean and worst in equal parts, as `core.judging.faithful`."""
    return [float((part.mean() + part.min()) / 2) for part in parts]


def report(found: Sequence[Row], scores: dict[str, list[float]], out: Path) -> Row:
    """By way and kind: AUC with interval, and what is caught where a tenth of the true are rejected."""
    made: Row = {}
    for way, given in scores.items():
        true = [score for row, score in zip(found, given, strict=True) if row["true"]]
        line = float(np.quantile(true, 0.1))
        kinds: Row = {}
        curves = {}
        for kind in KINDS:
            false = [s for row, s in zip(found, given, strict=True) if row["kind"] == kind]
            if not false:
                continue
            truth = [1] * len(true) + [0] * len(false)
            kinds[kind] = {
                "rows": len(false),
                "auc": auc(truth, [*true, *false]),
                "caught": float(np.mean([score < line for score in false])),
            }
            curves[kind] = (truth, [*true, *false])
        guesses = ["true" if score >= line else "false" for score in given]
        classes = classification(["true" if row["true"] else "false" for row in found], guesses)
        made[way] = {"kinds": kinds, "line": line, "classes": classes}
        draw_curves(curves, out / f"curves_{way}.png")
        draw_confusion(classes, out / f"confusion_{way}.png", f"faithfulness, {way}")
    return made


def scored(
    taught: Sequence[Row], asked: Sequence[Row], settings: Row, folder: str, keep: Path | None
) -> Row:
    """Teaches one variant with one seed and reads `asked`; weights go into `keep` if it is given."""
    most, passage = settings["max_tokens"], settings.get("passage", "premise")
    chosen = balanced(taught, settings["kinds"], settings["pairs"], settings["seed"])
    begun = time.monotonic()
    model, tokenizer = fit(
        folder, lambda t: encode(t, chosen, most, passage), 2, settings["seed"], settings
    )
    seconds = time.monotonic() - begun
    begun = time.monotonic()
    given = predict(model, tokenizer, encode(tokenizer, asked, most, passage))[:, 1]
    each = (time.monotonic() - begun) / max(1, len(asked))
    if keep is not None:
        model.half().save_pretrained(keep)
    return {
        "pairs": len(chosen),
        "seconds": round(seconds, 1),
        "seconds a pair": round(each, 5),
        "given": [round(float(value), 6) for value in given],
    }


def told(held: Sequence[Row], judged: Sequence[Row], runs: Sequence[Row], out: Path) -> Row:
    """Of one variant: its seeds' logits in the mean, combined with the signs; each seed's AUC beside."""
    logits = np.array([_logit(run["given"]) for run in runs])
    cross = 1 / (1 + np.exp(-logits.mean(axis=0)))
    parts = [part for row in judged for part in row["parts"]]
    signs = np.array([part["signs"] for part in parts])
    both, weights = _beside(held, signs, cross)
    # what the cross-encoder finds well said doesn't count: it can only speak against a claim
    lowered, _ = _beside(held, signs, np.minimum(cross, 0.5))
    values = dict(zip(WAYS, (signs, cross[len(held) :], both, lowered), strict=True))
    scores = {way: _by_claim(judged, own) for way, own in values.items()}
    made = report(judged, scores, out)
    each = [_aucs(judged, _by_claim(judged, np.asarray(run["given"][len(held) :]))) for run in runs]
    made["by_seed"] = {kind: [round(one[kind], 4) for one in each] for kind in each[0]}
    made["weights"] = weights
    made["runs"] = [{k: v for k, v in run.items() if k not in ("given", "key")} for run in runs]
    return made


def _beside(held: Sequence[Row], signs: Numbers, cross: Numbers) -> tuple[Numbers, Row]:
    """Probabilities by signs and cross-encoder, whose first rows are the held ones; the weights."""
    constant, of_signs, of_cross = combined(held, cross[: len(held)])
    logit = constant + of_signs * _logit(signs) + of_cross * _logit(cross[len(held) :])
    weights = {"constant": constant, "signs": of_signs, "cross": of_cross}
    return np.asarray(1 / (1 + np.exp(-logit))), weights


def _by_claim(judged: Sequence[Row], values: Numbers) -> list[float]:
    edges = np.cumsum([len(row["parts"]) for row in judged])[:-1]
    return claim_scores(judged, np.split(values, edges))


def _aucs(judged: Sequence[Row], scores: Sequence[float]) -> dict[str, float]:
    found = {}
    for kind in KINDS:
        pairs = [
            (int(row["true"]), score)
            for row, score in zip(judged, scores, strict=True)
            if row["true"] or row["kind"] == kind
        ]
        if any(not true for true, _ in pairs):
            found[kind] = auc([true for true, _ in pairs], [s for _, s in pairs], draws=1)[0]
    return found


def variants(settings: Row) -> dict[str, Row]:
    """Settings of each by name; `cross` where none are named."""
    named: dict[str, Row] = settings.get("variants", {"cross": {}})
    common = {k: v for k, v in settings.items() if k not in ("variants", "seeds")}
    return {name: {**common, **own} for name, own in named.items()}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training cross", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/cross.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--wheels", type=Path, help="a folder with the encoder's wheel")
    parser.add_argument("--prepare", action="store_true", help="only the pairs, no training")
    parser.add_argument("--variants", nargs="+", help="only these, and no report")
    parser.add_argument("--report", action="store_true", help="only the report, no training")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: Row = yaml.safe_load(asked.config.read_text("utf-8"))
    out, language = Path(settings["out"]), settings.get("language", "en")
    found = weak(
        asked.data,
        settings["seed"],
        settings["articles"],
        out / f"weak_{language}.jsonl",
        settings.get("sources"),
        language,
    )
    judged = evaluation(asked.data, out / "evaluation.json", language)
    log.info("%d weak pairs, %d claims to judge", len(found), len(judged))
    if asked.prepare:
        short = mnli(found, settings["seed"], settings.get("short", 60))
        leave(short, out / f"mnli_{language}.jsonl")
        return 0
    if not asked.report:
        folder = encoder_folder(settings["encoder"], out.parent, asked.wheels)
        train(found, judged, settings, folder, asked.variants)
    if not asked.variants:
        write_json(read(found, judged, settings), out / "report.json")
    return 0


def train(
    found: Sequence[Row],
    judged: Sequence[Row],
    settings: Row,
    folder: str,
    only: Sequence[str] | None = None,
) -> None:
    """Leaves `scores_NAME_SEED.json`: what each says of the held rows, then of the claims' parts."""
    out = Path(settings["out"])
    taught, held = _split(found, settings)
    asked = [*held, *(part for row in judged for part in row["parts"])]
    for seed in settings.get("seeds", [settings["seed"]]):
        for name, own in variants(settings).items():
            path = out / f"scores_{name}_{seed}.json"
            if (only is not None and name not in only) or remembered(path, own):
                continue
            keep = out / f"{name}_{seed}" if own.get("keep") else None
            made = scored(taught, asked, {**own, "seed": seed}, folder, keep)
            write_json({"key": own, "seed": seed, **made}, path)
            log.info("%s, seed %d: %.1f s", name, seed, made["seconds"])


def read(found: Sequence[Row], judged: Sequence[Row], settings: Row) -> Row:
    """The figures of every variant whose scores there are. Raises SettingsError for none."""
    out = Path(settings["out"])
    _, held = _split(found, settings)
    made: Row = {"borne": BORNE, "settings": settings, "variants": {}}
    for name, own in variants(settings).items():
        paths = [
            out / f"scores_{name}_{seed}.json" for seed in settings.get("seeds", [settings["seed"]])
        ]
        runs = [run for path in paths if (run := remembered(path, own))]
        if not runs:
            log.info("%s: not trained yet", name)
            continue
        made["variants"][name] = told(held, judged, runs, out / name)
        for way in WAYS:
            kinds = made["variants"][name][way]["kinds"]
            aucs = {kind: round(one["auc"][0], 3) for kind, one in kinds.items()}
            log.info("%s, %s: %s", name, way, aucs)
    if not made["variants"]:
        raise SettingsError([f"{out}: no variant has been trained with these settings"])
    return made


def _split(found: Sequence[Row], settings: Row) -> tuple[list[Row], list[Row]]:
    taught, held = split(found, settings["taught"], settings["seed"])
    return taught, balanced(held, settings["kinds"], settings["held"], settings["seed"])


if __name__ == "__main__":
    raise SystemExit(main())
