"""The faithfulness judge, and the published comparison of two ways to encode a sentence pair.

    python -m training pairs --config config/training/pairs.yaml --data ../shared/data
    python -m training pairs --only judge

`judge` fits the logistic combination behind `core.judging.faithful` on weakly supervised claims
(`training/faithfulness/claims.py`); a sign of support can only speak for a claim and one of contradiction only
against it, so the fit is bounded. `comparison` trains MiniLM as a classifier of entailment with
the Trainer (`training/faithfulness/entailment.py`): two segments against one text. Nothing of the comparison ships.
"""

from __future__ import annotations

import argparse
import json
import logging
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.article import Article
from core.chunks import cut
from core.judging.evidence import SIGNS, Measuring
from core.judging.faithful import AGAINST, BORNE, FOR, Judge
from core.language import sentences, words
from training.faithfulness.claims import Claim, compared, excluded, sources
from training.faithfulness.entailment import compare
from training.lines import rows
from training.model.bases import encoder_folder
from training.reporting import (
    auc,
    classification,
    draw_confusion,
    draw_curves,
    manifest,
    write_json,
)

OUT = Path(__file__).parents[2] / "core" / "judging" / "data"
# What is too rare in the weak claims to be learned (one in two hundred) and is a lie all the same.
PRIOR = {"negation_lost": 2.5, "names_gone": 2.3}
KINDS = ("other_document", "negation", "antonym", "number")
Numbers = NDArray[np.float64]
log = logging.getLogger(__name__)


def measured(root: Path, seed: int, cache: Path) -> list[tuple[Claim, list[float]]]:
    """Weak claims with their signs in the order of SIGNS; remembered, for it takes minutes."""
    if cache.is_file():
        return [(Claim(**c), signs) for c, signs in json.loads(cache.read_text("utf-8"))]
    chance = random.Random(seed)  # noqa: S311 - weak labels, no secrets
    found = sources(root, excluded(root), chance)
    kept = [(claim, [one.signs[name] for name in SIGNS]) for claim, one in compared(found, chance)]
    write_json([(asdict(claim), signs) for claim, signs in kept], cache)
    return kept


def fit(
    found: Sequence[tuple[Claim, list[float]]], settings: dict[str, Any], korean: float
) -> dict[str, Any]:
    """Bounded logistic regression; each kind of claim counts as the settings say, whatever its
    number, and a Korean one as much as so many English ones."""
    from scipy.optimize import minimize

    table = np.array(
        [list(Judge.seen(dict(zip(SIGNS, signs, strict=True))).values()) for _, signs in found]
    )
    truth = np.array([float(claim.true) for claim, _ in found])
    weight = weights([claim for claim, _ in found], settings["kinds"], korean)
    ridge = settings["ridge"] * len(truth)

    def loss(b: Numbers) -> tuple[float, Numbers]:
        logit = b[0] + table @ b[1:]
        wrong = weight * (1 / (1 + np.exp(-logit)) - truth)
        value = (weight * (np.logaddexp(0, logit) - truth * logit)).sum()
        return value + ridge / 2 * (b[1:] ** 2).sum(), np.r_[
            wrong.sum(), table.T @ wrong + ridge * b[1:]
        ]

    bounds = [
        (None, None),
        *[(0, None)] * len(FOR),
        *[(None, -PRIOR.get(name, 0.0)) for name in AGAINST],
    ]
    solved = minimize(
        loss, np.zeros(table.shape[1] + 1), jac=True, method="L-BFGS-B", bounds=bounds
    )
    return {
        "constant": round(float(solved.x[0]), 4),
        "weights": {
            name: round(float(value), 4)
            for name, value in zip((*FOR, *AGAINST), solved.x[1:], strict=True)
        },
    }


def weights(found: Sequence[Claim], kinds: dict[str, float], korean: float) -> Numbers:
    """The kinds' shares as set, of mean 1. What was made of a quotation counts as a quotation does."""
    basis = "reference"
    groups = []
    for claim in found:
        if claim.true:
            basis = claim.kind
        made_of = "" if claim.true or claim.kind == "other_document" else f" of {basis}"
        groups.append(claim.kind + made_of)
    counts = {group: groups.count(group) for group in set(groups)}
    raw = []
    for claim, group in zip(found, groups, strict=True):
        share = kinds[claim.kind] * (kinds["quoted"] if group.endswith("of quoted") else 1.0)
        raw.append(share / counts[group] * (korean if claim.language == "ko" else 1.0))
    return np.asarray(np.array(raw) / np.mean(raw))


def evaluate(root: Path, out: Path, judges: Mapping[str, Judge]) -> dict[str, Any]:
    """On `consistency/dev`, by language and kind; word overlap beside, the threshold as shipped."""
    found = []
    for row, parts, overlap in _measured_evaluation(root, out / "evaluation.json"):
        judge = judges[row["language"]]
        score = judge.score([judge.probability(p) for p in parts]) if parts else 0.0
        found.append((row, score, overlap))
    report: dict[str, Any] = {"threshold": BORNE}
    for language in ("en", "ko"):
        mine = [one for one in found if one[0]["language"] == language]
        report[language] = _by_kind(mine, BORNE, out, language)
    return report


def _measured_evaluation(
    root: Path, cache: Path
) -> list[tuple[dict[str, Any], list[dict[str, float]], float]]:
    """Each row's kind, label and language, its sentences' signs, its word overlap; remembered."""
    if cache.is_file():
        return [
            (row, parts, overlap) for row, parts, overlap in json.loads(cache.read_text("utf-8"))
        ]
    found: list[tuple[dict[str, Any], list[dict[str, float]], float]] = []
    known: dict[str, Measuring] = {}
    for row in rows(root / "consistency" / "dev.jsonl.gz"):
        if row["article"] not in known:
            article = Article(title=row["title"], content=row["article"], language=row["language"])
            known = {row["article"]: Measuring(cut(article, 330))}
        measuring = known[row["article"]]
        split = sentences(row["claim"], measuring.language)
        parts = [one.signs for text in split if (one := measuring.measure(text)) is not None]
        kept = {name: row[name] for name in ("id", "kind", "label", "language")}
        found.append((kept, parts, _overlap(row)))
    write_json(found, cache)
    return found


def _by_kind(
    found: Sequence[tuple[dict[str, Any], float, float]], threshold: float, out: Path, language: str
) -> dict[str, Any]:
    true = [one for one in found if one[0]["kind"] == "reference"]
    report: dict[str, Any] = {"true": len(true), "kinds": {}}
    curves = {}
    for kind in KINDS:
        false = [one for one in found if one[0]["kind"] == kind]
        if not false:
            continue
        truth = [1] * len(true) + [0] * len(false)
        scores = [one[1] for one in (*true, *false)]
        report["kinds"][kind] = {
            "rows": len(false),
            "auc": auc(truth, scores),
            "word_overlap_auc": auc(truth, [one[2] for one in (*true, *false)])[0],
            "caught": float(np.mean([one[1] < threshold for one in false])),
        }
        curves[kind] = (truth, scores)
    report["false_alarms"] = float(np.mean([one[1] < threshold for one in true]))
    report["classes"] = classification(
        [one[0]["label"] for one in found],
        ["consistent" if one[1] >= threshold else "inconsistent" for one in found],
    )
    draw_curves(curves, out / f"curves_{language}.png")
    draw_confusion(
        report["classes"], out / f"confusion_{language}.png", f"faithfulness, {language}"
    )
    return report


def _overlap(row: dict[str, Any]) -> float:
    """The dumb baseline: the share of the claim's words that stand in the article."""
    wanted = set(words(row["claim"], row["language"]))
    there = set(words(row["article"], row["language"]))
    return len(wanted & there) / max(1, len(wanted))


def shifted(made: dict[str, Any], found: Sequence[tuple[Claim, list[float]]], share: float) -> None:
    """Sets the shift so that this share of the true training summaries falls below BORNE."""
    judge = Judge(**made)
    true = [
        judge.probability(dict(zip(SIGNS, signs, strict=True)))
        for claim, signs in found
        if claim.kind == "reference"
    ]
    line = float(np.quantile(true, share))
    made["shift"] = round(_logit(BORNE) - _logit(line), 4)


def _logit(probability: float) -> float:
    return math.log(probability / (1 - probability))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training pairs", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/pairs.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--only", choices=("judge", "comparison"))
    parser.add_argument(
        "--file", type=Path, help="JSON lines with premise, hypothesis, label, to compare on"
    )
    parser.add_argument(
        "--seeds", type=int, nargs="*", help="train these only; none: the table of what is there"
    )
    parser.add_argument("--wheels", type=Path, help="a folder with the encoder's wheel")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: dict[str, Any] = yaml.safe_load(asked.config.read_text("utf-8"))
    out = Path(settings["out"])
    if asked.only != "comparison":
        _make_judge(asked.data, settings["judge"], out)
    if asked.only != "judge":
        comparison = settings["comparison"]
        file = asked.file or asked.data / comparison["file"]
        folder = encoder_folder(comparison["encoder"], out.parent, asked.wheels)
        compare(file, comparison, out, folder, asked.seeds)
    return 0


def _make_judge(root: Path, settings: dict[str, Any], out: Path) -> None:
    found = measured(root, settings["seed"], out / "claims.json")
    made = {}
    for language, korean in settings["korean"].items():
        made[language] = fit(found, settings, korean)
        shifted(made[language], found, settings["rejected"])
    write_json(made, OUT / "faithful.json")
    report = evaluate(root, out, {language: Judge(**one) for language, one in made.items()})
    write_json(report, out / "report.json")
    paths = [root / f"{name}.jsonl.gz" for name in settings["sources"]]
    write_json(manifest(settings, paths, report), OUT / "faithful.manifest.json")
    for language in ("en", "ko"):
        aucs = {k: round(v["auc"][0], 3) for k, v in report[language]["kinds"].items()}
        log.info("%s: %s, false alarms %.3f", language, aucs, report[language]["false_alarms"])


if __name__ == "__main__":
    raise SystemExit(main())
