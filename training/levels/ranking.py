"""Difficulty by an encoder that learns: pairs of articles of one site, the harder one above.

    python -m training ranking --config config/training/ranking.yaml --data ../shared/data

Beside `training/levels/difficulty.py`, whose encoder stays as it is. Each variant is taught on all sites
but one and read on that one, several seeds averaged: alone, and added to the score in service
(fitted on the same other sites). Three steps that leave files for the next: articles with their
windows of text and the score in service (`--prepare`, needs the prepared encoder), scores of each
variant (`--variants NAME …` for some; needs a transformers encoder, a card if there is one), the
report (`--report`). Nothing of it ships.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.article import Article
from core.chunks import cut
from core.errors import SettingsError
from core.judging.meaning import axes
from training.levels.ranking_model import Learned, Scale, learned, opened
from training.levels.unseen import CLASSES, Numbers, equal, quantile, ranked
from training.lines import leave, remembered, rows
from training.lines import read as read_lines
from training.model.bases import encoder_folder
from training.reporting import classification, draw_confusion, write_json

# Words of a window: with code words about 256 tokens.
_WORDS = 190
_WINDOWS = 4
Row = dict[str, Any]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Articles:
    """A row an article; `service`: for each site that was left out, what the others' head says of all."""

    windows: tuple[tuple[str, ...], ...]
    levels: Numbers
    sites: NDArray[np.str_]
    classes: tuple[str, ...]
    service: dict[str, Numbers]


def windows(title: str, content: str) -> list[str]:
    """Title, headings and opening; then later pieces of the prose, evenly spread."""
    document = cut(Article(title=title or None, content=content), 330)
    prose = document.prose.split()
    headings = " ".join("; ".join(document.headings).split()[:50])
    first = f"{title}. {headings}. {' '.join(prose[:_WORDS])}"
    rest = [prose[at : at + _WORDS] for at in range(_WORDS, len(prose), _WORDS)]
    kept = [part for part in rest if len(part) >= _WORDS // 3]
    count = min(_WINDOWS - 1, len(kept))
    return [
        first,
        *(f"{title}. {' '.join(kept[i * len(kept) // count])}" for i in range(count)),
    ]


def prepare(root: Path, settings: Row, encoder: Path | None, out: Path) -> None:
    """Leaves `articles.jsonl` and `manuals.jsonl`."""
    from training.encoding import Embedder
    from training.levels.labels import fit
    from training.levels.tables import read

    embedder = Embedder(encoder, Path(settings["vectors"]))
    found = [row for row in rows(root / settings["train"]) if row["language"] == "en"]
    table = read(found, embedder)
    directions = embedder.directions(axes()).astype(float)
    service = {
        str(site): fit(table.of(table.sites != site), directions, settings["service"]).total(table)
        for site in sorted(set(table.sites))
    }
    kept = [
        {
            "id": row["id"],
            "site": row["source"],
            "level": float(row["level"]),
            "class": row["level_label"],
            "windows": windows(row["title"], row["content"]),
            "service": {site: round(float(service[site][i]), 5) for site in service},
        }
        for i, row in enumerate(found)
    ]
    leave(kept, out / "articles.jsonl")
    manuals = list(_manuals(root, settings))
    leave(manuals, out / "manuals.jsonl")
    log.info("%d articles, %d pages of manuals and stories", len(kept), len(manuals))


def _manuals(root: Path, settings: Row) -> Iterator[Row]:
    """What is in an order without anybody's label: sections of manuals, stories told three times."""
    path = Path(settings["manuals"])
    for _, row in read_lines(path) if path.is_file() else ():
        sections = settings["sections"].get(row["site"], {})
        fitting = [start for start in sections if row["key"].startswith(start)]
        if fitting:
            level = float(sections[max(fitting, key=len)])
            text = windows(row["english"]["title"], row["english"]["content"])
            yield {"site": row["site"], "level": level, "windows": text}
    for row in rows(root / settings["stories"]):
        text = windows(row["title"], row["content"])
        site = f"story {row['text_id']}"
        yield {"site": site, "level": float(row["level"]), "windows": text}


def articles(path: Path) -> Articles:
    """Raises SettingsError where they have not been prepared."""
    if not path.is_file():
        raise SettingsError([f"{path} is not there: run with --prepare first"])
    found = [row for _, row in read_lines(path)]
    return Articles(
        tuple(tuple(row["windows"]) for row in found),
        np.array([row["level"] for row in found]),
        np.array([row["site"] for row in found]),
        tuple(row["class"] for row in found),
        {site: np.array([row["service"][site] for row in found]) for site in found[0]["service"]},
    )


def variants(settings: Row) -> dict[str, Row]:
    return {
        name: {**settings["common"], **(own or {})} for name, own in settings["variants"].items()
    }


def train(found: Articles, settings: Row, folder: str, only: Sequence[str] | None) -> None:
    """Leaves `scores_NAME_SEED.json`: for each site left out, what is said of every article."""
    out = Path(settings["out"])
    scale = opened(folder, settings["common"]["max_tokens"])
    manuals = [row for _, row in read_lines(out / "manuals.jsonl")]
    for seed in settings["seeds"]:
        for name, own in variants(settings).items():
            path = out / f"scores_{name}_{seed}.json"
            if (only is not None and name not in only) or remembered(path, own):
                continue
            said, seconds = _left_out(found, manuals, own, scale, seed)
            write_json({"key": own, "seed": seed, "seconds": seconds, "said": said}, path)
            log.info("%s, seed %d: %.1f s", name, seed, seconds)


def _left_out(
    found: Articles, manuals: Sequence[Row], own: Row, scale: Scale, seed: int
) -> tuple[dict[str, list[float]], float]:
    before = [row for row in manuals if _asked(row["site"], own.get("before", ""))]
    earlier: Learned | None = None
    if before:
        levels = np.array([row["level"] for row in before])
        sites = np.array([row["site"] for row in before])
        texts = [row["windows"] for row in before]
        earlier = learned(scale, texts, levels, sites, {**own, **own["pretraining"]}, seed)
    said, seconds = {}, earlier.seconds if earlier else 0.0
    for site in sorted(set(found.sites)):
        others = found.sites != site
        texts = [text for text, wanted in zip(found.windows, others, strict=True) if wanted]
        model = learned(scale, texts, found.levels[others], found.sites[others], own, seed, earlier)
        said[str(site)] = [round(x, 5) for x in model.read(found.windows, own["windows"])]
        seconds += model.seconds
    return said, round(seconds, 1)


def _asked(site: str, before: str) -> bool:
    """`before`: "manuals", "stories", "both" or nothing."""
    return before == "both" or before == ("stories" if site.startswith("story ") else "manuals")


def report(found: Articles, settings: Row) -> Row:
    """Every variant of which there are scores, alone and with the score in service."""
    out = Path(settings["out"])
    made: Row = {"service": _figures(found, found.service), "settings": settings}
    _tell("in service", made["service"])
    for name, own in variants(settings).items():
        paths = [out / f"scores_{name}_{seed}.json" for seed in settings["seeds"]]
        runs = [run for path in paths if (run := remembered(path, own))]
        if not runs:
            log.info("%s: not trained yet", name)
            continue
        made[name] = _of(found, runs)
        for way, one in made[name]["ways"].items():
            _tell(f"{name}, {way}", one)
    best = max(
        (k for k in made if k not in ("service", "settings")),
        default=None,
        key=lambda k: made[k]["ways"]["and service"]["mean_spearman"],
    )
    if best is not None:
        classes = made[best]["ways"]["and service"]["classes"]
        draw_confusion(classes, out / "confusion.png", f"difficulty, unseen sites, {best}")
    return made


def _of(found: Articles, runs: Sequence[Row]) -> Row:
    mean = {
        site: np.mean([standard(found, site, np.array(run["said"][site])) for run in runs], axis=0)
        for site in runs[0]["said"]
    }
    ways = {"alone": _figures(found, mean)}
    for way, weight in (("and service", 1.0), ("half, and service", 0.5)):
        both = {
            site: standard(found, site, found.service[site])
            + weight * standard(found, site, mean[site])
            for site in mean
        }
        ways[way] = _figures(found, both)
    each = [
        _figures(found, {site: np.array(said) for site, said in run["said"].items()}, draws=1)
        for run in runs
    ]
    return {
        "ways": ways,
        "by_seed": [round(one["mean_spearman"], 4) for one in each],
        "seconds": [run["seconds"] for run in runs],
    }


def standard(found: Articles, site: str, values: Numbers) -> Numbers:
    """In widths of the scores of the sites that taught; their mean is 0."""
    others = found.sites != site
    weight = equal(found.sites[others])
    centre = float((values[others] * weight).sum())
    spread = float(np.sqrt((weight * (values[others] - centre) ** 2).sum()))
    return (values - centre) / (spread or 1.0)


def _figures(found: Articles, said: dict[str, Numbers], draws: int = 300) -> Row:
    """Ranks within each site left out; classes by the other sites' shares."""
    scores, guesses = np.zeros(len(found.levels)), np.empty(len(found.levels), dtype=object)
    classes = np.array(found.classes)
    for site, values in said.items():
        mine = found.sites == site
        weight = equal(found.sites[~mine])
        shares = np.cumsum([weight[classes[~mine] == name].sum() for name in CLASSES])
        first, second = (quantile(values[~mine], weight, share) for share in shares[:2])
        scores[mine] = values[mine]
        guesses[mine] = [CLASSES[int(v > first) + int(v > second)] for v in values[mine]]
    return {
        **ranked(scores, found.levels, found.sites, draws),
        "classes": classification(list(found.classes), guesses.tolist()),
    }


def _tell(way: str, one: Row) -> None:
    low, high = one["mean_spearman_interval"]
    sites = " ".join(f"{value:.2f}" for value in one["spearman"].values())
    log.info(
        "| %s | %s | %.3f [%.3f, %.3f] | %.3f |",
        way,
        sites,
        one["mean_spearman"],
        low,
        high,
        one["classes"]["macro"]["f1"],
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training ranking", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/ranking.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--encoder", type=Path, help="a prepared encoder's folder")
    parser.add_argument("--wheels", type=Path, help="a folder with the encoder's wheel")
    parser.add_argument("--prepare", action="store_true", help="only the articles' windows")
    parser.add_argument("--variants", nargs="+", help="only these, and no report")
    parser.add_argument("--report", action="store_true", help="only the report, no training")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: Row = yaml.safe_load(asked.config.read_text("utf-8"))
    out = Path(settings["out"])
    if asked.prepare or not (out / "articles.jsonl").is_file():
        prepare(asked.data, settings, asked.encoder, out)
    if asked.prepare:
        return 0
    found = articles(out / "articles.jsonl")
    if not asked.report:
        folder = encoder_folder(settings["encoder"], out.parent, asked.wheels)
        train(found, settings, folder, asked.variants)
    if not asked.variants:
        write_json(report(found, settings), out / "report.json")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
