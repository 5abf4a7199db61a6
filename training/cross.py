"""A cross-encoder beside the signs of faithfulness: MiniLM with LoRA reads passage and claim together.

    python -m training cross --config config/training/cross.yaml --data ../shared/data

It is taught on the weak claims of `training/claims.py`, each with the passages of its article that
cover it best, and read on `consistency/dev` by kind of lie: the signs alone, its score alone,
and both in one logistic combination fitted on articles that it was not taught on. Short pairs, as
many of each label, are left as `mnli_en.jsonl` for `python -m training pairs --only comparison --file`.
"""

from __future__ import annotations

import argparse
import json
import logging
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.article import Article
from core.chunks import cut
from core.judging.evidence import Measured, Measuring
from core.judging.faithful import BORNE, judge
from core.language import sentences
from training.background import rows
from training.bases import encoder_folder
from training.claims import Claim, compared, excluded, sources
from training.classifier import fit, predict
from training.reporting import auc, classification, draw_confusion, draw_curves, write_json

KINDS = ("other_document", "negation", "antonym", "number")
Numbers = NDArray[np.float64]
Row = dict[str, Any]
log = logging.getLogger(__name__)


def weak(root: Path, seed: int, articles: int, out: Path) -> list[Row]:
    """English claims of so many articles with their best passage; remembered in `out`."""
    if out.is_file():
        return [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    chance = random.Random(seed)  # noqa: S311 - weak labels, no secrets
    found = [s for s in sources(root, excluded(root), chance) if s.document.language == "en"]
    chance.shuffle(found)
    found = found[:articles]
    kept = [_row(claim, one) for claim, one in compared(found, chance)]
    _leave(kept, out)
    return kept


def _leave(found: Sequence[Row], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    lines = "\n".join(json.dumps(row, ensure_ascii=False) for row in found)
    out.write_text(lines + "\n", encoding="utf-8")


def mnli(found: Sequence[Row], seed: int, words: int = 60) -> list[Row]:
    """Pairs of at most so many words, as many of each label, in an order of chance."""
    chance = random.Random(seed)  # noqa: S311
    by_label: dict[str, list[Row]] = {}
    for row in found:
        if len(row["premise"].split()) + len(row["hypothesis"].split()) <= words:
            by_label.setdefault(row["label"], []).append(row)
    fewest = min(map(len, by_label.values()), default=0)
    kept = [row for mine in by_label.values() for row in chance.sample(mine, fewest)]
    chance.shuffle(kept)
    return kept


def _row(claim: Claim, measured: Measured) -> Row:
    """A sentence of another article is as good as unrelated; what was turned round contradicts."""
    label = "neutral" if claim.kind == "other_document" else "contradiction"
    return {
        "premise": passage(measured),
        "hypothesis": claim.text,
        "label": "entailment" if claim.true else label,
        "kind": claim.kind,
        "article": claim.article,
        "signs": judge().probability(measured.signs),
    }


def passage(measured: Measured) -> str:
    """The two places that cover the claim best, in the article's order, no sentence twice."""
    best = measured.closest[0]
    used = {best.index, best.second}
    other = next((p for p in measured.closest[1:] if not {p.index, p.second} & used), None)
    chosen = sorted([best, *([other] if other else [])], key=lambda p: p.index)
    return " ".join(one.text for one in chosen)


def evaluation(root: Path, out: Path) -> list[Row]:
    """English rows of `consistency/dev`: a pair for each sentence of the claim; remembered."""
    if out.is_file():
        return list(json.loads(out.read_text("utf-8")))
    found: list[Row] = []
    known: dict[str, Measuring] = {}
    for row in rows(root / "consistency" / "dev.jsonl.gz"):
        if row["language"] != "en":
            continue
        if row["article"] not in known:
            article = Article(title=row["title"], content=row["article"], language="en")
            known = {row["article"]: Measuring(cut(article, 330))}
        parts = list(_parts(known[row["article"]], row["claim"]))
        if parts:
            found.append(
                {"kind": row["kind"], "true": row["label"] == "consistent", "parts": parts}
            )
    write_json(found, out)
    return found


def _parts(measuring: Measuring, claim: str) -> Iterator[Row]:
    for text in sentences(claim, measuring.language):
        one = measuring.measure(text)
        if one is not None:
            score = judge().probability(one.signs)
            yield {"premise": passage(one), "hypothesis": text, "signs": score}


def encode(tokenizer: Any, found: Sequence[Row], most: int) -> list[Row]:
    """Passage and claim as two segments; of what is too long the passage is cut."""
    made = []
    for row in found:
        read = tokenizer(
            row["premise"],
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


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training cross", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/cross.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--wheels", type=Path, help="a folder with the encoder's wheel")
    parser.add_argument("--prepare", action="store_true", help="only the pairs, no training")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: Row = yaml.safe_load(asked.config.read_text("utf-8"))
    out = Path(settings["out"])
    found = weak(asked.data, settings["seed"], settings["articles"], out / "weak_en.jsonl")
    judged = evaluation(asked.data, out / "evaluation.json")
    log.info("%d weak pairs, %d claims to judge", len(found), len(judged))
    _leave(mnli(found, settings["seed"]), out / "mnli_en.jsonl")
    if not asked.prepare:
        made = train(
            found, judged, settings, encoder_folder(settings["encoder"], out.parent, asked.wheels)
        )
        write_json(made, out / "report.json")
    return 0


def train(found: Sequence[Row], judged: Sequence[Row], settings: Row, folder: str) -> Row:
    """Teaches, combines, reads; the figures."""
    out, most = Path(settings["out"]), settings["max_tokens"]
    taught, held = split(found, settings["taught"], settings["seed"])
    chosen = balanced(taught, settings["kinds"], settings["pairs"], settings["seed"])
    begun = time.monotonic()
    model, tokenizer = fit(folder, lambda t: encode(t, chosen, most), 2, settings["seed"], settings)
    seconds = time.monotonic() - begun
    held = balanced(held, settings["kinds"], settings["held"], settings["seed"])
    constant, of_signs, of_cross = combined(
        held, predict(model, tokenizer, encode(tokenizer, held, most))[:, 1]
    )
    parts = [part for row in judged for part in row["parts"]]
    begun = time.monotonic()
    cross = predict(model, tokenizer, encode(tokenizer, parts, most))[:, 1]
    each = (time.monotonic() - begun) / max(1, len(parts))
    signs = np.array([part["signs"] for part in parts])
    both = 1 / (1 + np.exp(-(constant + of_signs * _logit(signs) + of_cross * _logit(cross))))
    edges = np.cumsum([len(row["parts"]) for row in judged])[:-1]
    scores = {
        way: claim_scores(judged, np.split(values, edges))
        for way, values in (("signs", signs), ("cross", cross), ("both", both))
    }
    made = report(judged, scores, out)
    made |= {
        "weights": {"constant": constant, "signs": of_signs, "cross": of_cross},
        "pairs": len(chosen),
        "seconds": round(seconds, 1),
        "seconds a pair": round(each, 4),
        "borne": BORNE,
        "settings": settings,
    }
    for way in scores:
        aucs = {kind: round(one["auc"][0], 3) for kind, one in made[way]["kinds"].items()}
        log.info("%s: %s", way, aucs)
    return made


if __name__ == "__main__":
    raise SystemExit(main())
