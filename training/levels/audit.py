"""Rows that are probably labelled wrongly: found by confident learning, decided by a person.

    python -m training audit find --set onestopenglish --data ../shared/data
    python -m training audit apply --set onestopenglish --decisions runs/audit/onestopenglish.csv
    python -m training audit demonstrate --data ../shared/data

`find` lists suspicious rows, the worst first, as CSV and as a page to open in a browser; the
column `decision` takes keep, fix, soften or drop. `apply` writes the corrected set with, in each
changed row, what was done, why and by which file. `demonstrate` plants wrong labels into a tenth
of the rows and counts how many of the first k finds were planted.

Source of the method: Northcutt et al., Confident Learning (2021), by cleanlab, on probabilities
from rows that the classifier has not seen (folds keep the versions of one text together).
"""

from __future__ import annotations

import argparse
import csv
import gzip
import html
import json
import logging
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from training.lines import rows
from training.reporting import draw_curves, interval, write_json

SETS = {
    # name: file, the label's field, what must stay in one fold
    "onestopenglish": ("onestopenglish/train.jsonl.gz", "level_label", "text_id"),
    "difficulty": ("difficulty/train.jsonl.gz", "level_label", "id"),
}
DECISIONS = ("keep", "fix", "soften", "drop")
COLUMNS = ("id", "label", "suggested", "confidence", "quality", "decision", "title", "text")
log = logging.getLogger(__name__)


def unseen_probabilities(
    texts: Sequence[str], labels: NDArray[np.int64], groups: Sequence[str], extra: Sequence[str]
) -> NDArray[np.float64]:
    """Shape (rows, labels), each row by a classifier that has not seen its group.

    `extra`: a word a row beside its text, such as the site, whose labels are on a scale of their own.
    """
    from scipy.sparse import csr_matrix, hstack
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import GroupKFold

    made = np.zeros((len(texts), int(labels.max()) + 1))
    surface = np.array([_surface(text) for text in texts])
    surface = (surface - surface.mean(0)) / surface.std(0)
    marked = [f"{text[:20_000]} site_{word}" for text, word in zip(texts, extra, strict=True)]
    for known, new in GroupKFold(5).split(texts, labels, list(groups)):
        cutter = TfidfVectorizer(min_df=2, sublinear_tf=True, max_features=20_000)
        left = hstack(
            [cutter.fit_transform([marked[i] for i in known]), csr_matrix(surface[known])]
        )
        right = hstack([cutter.transform([marked[i] for i in new]), csr_matrix(surface[new])])
        model = LogisticRegression(max_iter=2000, C=2.0).fit(left, labels[known])
        made[np.ix_(new, model.classes_)] = model.predict_proba(right)
    made = np.clip(made, 1e-4, 1.0)
    return np.asarray(made / made.sum(1, keepdims=True))


def _surface(text: str) -> list[float]:
    """What readability rests on: lengths of words and sentences, variety, size."""
    words = text.split()
    total = max(1, len(words))
    ends = max(1, sum(word[-1] in ".!?" for word in words))
    long = sum(len(word) > 7 for word in words)
    return [
        sum(map(len, words)) / total,
        total / ends,
        long / total,
        len(set(words)) / total**0.7,
        float(np.log1p(total)),
    ]


def suspicious(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> list[int]:
    """Row numbers, the least believable label first."""
    from cleanlab.filter import find_label_issues

    found = find_label_issues(
        labels, probabilities, return_indices_ranked_by="normalized_margin", n_jobs=1
    )
    return [int(row) for row in found]


def read(name: str, root: Path) -> tuple[list[dict[str, Any]], NDArray[np.int64], list[str]]:
    """Rows, their labels as numbers, and the labels' names."""
    if name not in SETS:
        raise SettingsError([f"{name}: no such set; one of {', '.join(SETS)}"])
    file, field, _ = SETS[name]
    found = [row for row in rows(root / file) if row["language"] == "en"]
    names = sorted({str(row[field]) for row in found})
    return found, np.array([names.index(str(row[field])) for row in found]), names


def _probabilities(
    name: str, found: Sequence[dict[str, Any]], labels: NDArray[np.int64]
) -> NDArray[np.float64]:
    group = SETS[name][2]
    texts = [f"{row['title']}\n{row['content']}" for row in found]
    extra = [str(row["source"]).replace("-", "") for row in found]
    return unseen_probabilities(texts, labels, [str(row[group]) for row in found], extra)


def find(name: str, root: Path, out: Path) -> list[dict[str, Any]]:
    found, labels, names = read(name, root)
    given = _probabilities(name, found, labels)
    listed = []
    for place in suspicious(labels, given):
        best = int(given[place].argmax())
        listed.append(
            {
                "id": found[place]["id"],
                "label": names[labels[place]],
                "suggested": names[best],
                "confidence": round(float(given[place][best]), 3),
                "quality": round(float(given[place][labels[place]]), 3),
                "decision": "",
                "title": found[place]["title"],
                "text": " ".join(str(found[place]["content"]).split())[:300],
            }
        )
    out.mkdir(parents=True, exist_ok=True)
    with (out / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(listed)
    (out / f"{name}.html").write_text(page(name, listed), encoding="utf-8")
    return listed


_PAGE = """<!doctype html><meta charset="utf-8"><title>{name}</title>
<style>body{{font:15px/1.5 system-ui;margin:2rem auto;max-width:70rem}}td,th{{padding:.4rem;vertical-align:top;
text-align:left;border-bottom:1px solid #8884}}small{{color:#777}}</style>
<h1>{name}: {count} labels to look at</h1>
<p>Choose, then save the CSV and give it to <code>python -m training audit apply</code>.
<button id="save">Save CSV</button></p>
<table><tr><th>id<th>label<th>suggested<th>decision<th>text</tr>{rows}</table>
<script>
const columns = {columns}, found = {data};
document.querySelectorAll("select").forEach((one, place) => one.onchange = () => found[place].decision = one.value);
const quoted = value => '"' + String(value ?? "").replaceAll('"', '""') + '"';
document.getElementById("save").onclick = () => {{
  const lines = [columns, ...found.map(row => columns.map(name => row[name]))];
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([lines.map(l => l.map(quoted).join(",")).join("\\r\\n")], {{type: "text/csv"}}));
  link.download = "{name}.csv";
  link.click();
}};
</script>
"""


def page(name: str, listed: Sequence[dict[str, Any]]) -> str:
    """One file, nothing loaded from anywhere."""
    choices = "".join(f"<option>{choice}</option>" for choice in ("", *DECISIONS))
    lines = "".join(
        f"<tr><td>{html.escape(str(row['id']))}<td>{html.escape(row['label'])}"
        f"<td>{html.escape(row['suggested'])} <small>{row['confidence']}</small>"
        f"<td><select>{choices}</select>"
        f"<td><b>{html.escape(str(row['title']))}</b><br><small>{html.escape(row['text'])}</small></tr>"
        for row in listed
    )
    data = json.dumps(list(listed), ensure_ascii=False).replace("<", "\\u003c")
    return _PAGE.format(
        name=html.escape(name),
        count=len(listed),
        rows=lines,
        columns=json.dumps(COLUMNS),
        data=data,
    )


def apply(name: str, decisions: Path, root: Path, out: Path) -> dict[str, int]:
    """Writes `corrected.jsonl.gz`; each changed row says what was done to it and why.

    fix takes the suggested label, with the level that its site's rows of that label have; soften
    keeps the row with a probability for both labels; drop leaves it out. Raises SettingsError for a
    decision that is none.
    """
    with decisions.open(encoding="utf-8", newline="") as file:
        decided = {row["id"]: row for row in csv.DictReader(file) if row["decision"]}
    unknown = sorted({row["decision"] for row in decided.values()} - set(DECISIONS))
    if unknown:
        raise SettingsError([f"{decisions}: no such decision: {', '.join(unknown)}"])
    file_name, field, _ = SETS[name]
    counts = dict.fromkeys(DECISIONS, 0)
    levels = _levels(root / file_name, field)
    target = out / f"{name}.corrected.jsonl.gz"
    target.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(target, "wt", encoding="utf-8") as written:
        for row in rows(root / file_name):
            verdict = decided.get(row["id"])
            choice = verdict["decision"] if verdict else "keep"
            counts[choice] += bool(verdict)
            if verdict and choice != "keep":
                row["audit"] = {
                    "decision": choice,
                    "before": row[field],
                    "suggested": verdict["suggested"],
                    "confidence": float(verdict["confidence"]),
                    "decisions": decisions.name,
                }
            if verdict and choice == "fix":
                row[field] = verdict["suggested"]
                level = levels.get((str(row.get("source")), row[field]))
                if "level" in row and level is not None:
                    row["audit"]["level before"], row["level"] = row["level"], level
            if verdict and choice == "soften":
                share = float(verdict["confidence"])
                row["soft_label"] = {row[field]: round(1 - share, 3), verdict["suggested"]: share}
            if choice != "drop":
                written.write(json.dumps(row, ensure_ascii=False) + "\n")
    return counts


def _levels(path: Path, field: str) -> dict[tuple[str, str], Any]:
    """The usual number of each site's label: one site's "beginner" is 1, another's 2."""
    seen: dict[tuple[str, str], Counter[Any]] = defaultdict(Counter)
    for row in rows(path):
        if "level" in row:
            seen[str(row.get("source")), str(row[field])][row["level"]] += 1
    return {key: counted.most_common(1)[0][0] for key, counted in seen.items()}


def planted(
    labels: NDArray[np.int64], share: float, seed: int
) -> tuple[NDArray[np.int64], set[int]]:
    """Another label for a share of the rows; which ones they are."""
    chance = np.random.default_rng(seed)
    chosen = chance.choice(len(labels), round(share * len(labels)), replace=False)
    wrong = labels.copy()
    count = int(labels.max()) + 1
    for row in chosen:
        wrong[row] = (labels[row] + chance.integers(1, count)) % count
    return wrong, {int(row) for row in chosen}


def doubt(labels: NDArray[np.int64], probabilities: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much likelier the likeliest other label is than the given one, -1 to 1."""
    given = probabilities[np.arange(len(labels)), labels]
    others = probabilities.copy()
    others[np.arange(len(labels)), labels] = 0.0
    return np.asarray(others.max(axis=1) - given)


def demonstrate(
    name: str, root: Path, out: Path, seeds: Sequence[int] = (0, 1, 2)
) -> dict[str, Any]:
    """Precision at k with its interval over finds, recall, a mean over seeds; by chance a tenth
    would be right. The curves tell planted rows from all others by `doubt`."""
    found, labels, _ = read(name, root)
    results = []
    firsts: list[bool] = []
    curves: dict[str, tuple[list[int], list[float]]] = {}
    for seed in seeds:
        wrong, rows_planted = planted(labels, 0.1, seed)
        given = _probabilities(name, found, wrong)
        listed = suspicious(wrong, given)
        k = len(rows_planted)
        firsts += [row in rows_planted for row in listed[:k]]
        planted_rows = [int(row in rows_planted) for row in range(len(wrong))]
        curves[f"{name}, seed {seed}"] = (planted_rows, doubt(wrong, given).tolist())
        results.append(
            {
                "precision@20": np.mean([row in rows_planted for row in listed[:20]]),
                "precision@k": np.mean([row in rows_planted for row in listed[:k]]),
                "recall": len(rows_planted & set(listed)) / k,
                "listed": len(listed),
            }
        )
    draw_curves(curves, out / f"{name}_curves.png")
    low, high = interval(lambda draw: float(np.array(firsts)[draw].mean()), len(firsts))
    means = {key: round(float(np.mean([one[key] for one in results])), 3) for key in results[0]}
    return {**means, "precision@k interval": [round(low, 3), round(high, 3)]}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training audit", description=__doc__)
    parser.add_argument("action", choices=("find", "apply", "demonstrate"))
    parser.add_argument("--set", default="onestopenglish", dest="name")
    parser.add_argument("--decisions", type=Path)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("runs/audit"))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if asked.action == "find":
        listed = find(asked.name, asked.data, asked.out)
        log.info("%d rows to look at: %s", len(listed), asked.out / f"{asked.name}.html")
    elif asked.action == "apply":
        if asked.decisions is None:
            raise SettingsError(["--decisions: the CSV with what was decided is needed"])
        log.info("%s", apply(asked.name, asked.decisions, asked.data, asked.out))
    else:
        made = {name: demonstrate(name, asked.data, asked.out) for name in SETS}
        log.info("%s", json.dumps(made, indent=1))
        write_json(made, asked.out / "demonstration.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
