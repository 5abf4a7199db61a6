"""Texts told how hard they are on one scale for all sites (`training/data/levels.tsv`), and what the
difficulty judge learns of them.

The labelled articles are tutorials and exercises, their labels each site's own. What people share
is posts, releases and news as well: told by what tutorials teach, a sponsor's welcome was an
expert's text. So the level itself is learned from these readings, by a ridge regression; what the
sites' labels teach within each site is added to it with a small weight.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import SettingsError
from core.judging.wording import WORD, Wording
from training.encoding import FACTORS
from training.evaluating.measures.levels import three
from training.levels.labels import fit
from training.levels.tables import Fitted, Table
from training.levels.unseen import Numbers, ranked, spearman
from training.lines import rows

LEVELS = Path(__file__).parents[1] / "data" / "levels.tsv"
_LOWEST, _MIDDLE, _HIGHEST = 1.0, 3.0, 5.0


def levels(path: Path = LEVELS) -> dict[str, float]:
    """Raises SettingsError for a line that is no id and level of 1 to 5."""
    found: dict[str, float] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#") or not line.strip():
            continue
        name, _, level = line.partition("\t")
        try:
            found[name] = float(level)
        except ValueError:
            found[name] = 0.0
        if not _LOWEST <= found[name] <= _HIGHEST:
            raise SettingsError([f"{path}:{number}: expected an id, a tab and a level of 1 to 5"])
    return found


def texts(
    known: dict[str, float], data: Path, files: Sequence[Path], sets: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """The rows that have a level, as labelled articles are: with "level", "level_label" and
    "source". Those of `sets`, below `data`, are known as "<set>:<id>". Raises SettingsError where
    one of `files` is not there."""
    for path in files:
        if not path.is_file():
            raise SettingsError(
                [f"{path}: there is no such file; python -m training posts --clone makes it"]
            )
    found = []
    for prefix, path in [
        *(("", path) for path in files),
        *((f"{name}:", data / f"{name}.jsonl.gz") for name in sets),
    ]:
        for row in rows(path):
            level = known.get(key := f"{prefix}{row['id']}")
            if level is not None:
                told = {"level": level, "level_label": three(level)}
                found.append({**row, **told, "id": key, "title": row.get("title") or ""})
    return found


def joined(taught: Table, told: Table, directions: Numbers, settings: dict[str, Any]) -> Fitted:
    """Half by meaning and signs, half by words. `taught`: labelled articles; `told`: readings;
    `directions`: an axis a row, from easy to hard."""
    by_words = float(settings["readings"]["words"])
    words = wording(told, settings["readings"])
    own, slopes = _by_readings(told, directions, settings["readings"])
    within = fit(taught, directions, settings["labels"])
    share = float(settings["labels"]["share"])
    # on the scale of levels, the part of the words taken off
    vectors = [
        (1.0 - by_words) * (mine + share * its)
        for mine, its in zip(own, within.vectors, strict=True)
    ]
    slopes = (1.0 - by_words) * (
        slopes + [share * within.weights[n] / within.widths[n] for n in FACTORS]
    )
    usual = {
        "concepts": told.along(vectors),
        "terms": np.array([words.score(text) for text in told.texts]),
        **told.signs_by_name(),
    }
    widths = {name: float(values.std()) + 1e-9 for name, values in usual.items()}
    # a harder sign never makes a text easier
    counts = {name: max(0.0, float(slopes[i])) * widths[name] for i, name in enumerate(FACTORS)}
    middle = float(told.levels.mean())

    def total(level: float) -> float:
        return _MIDDLE - middle + (level - _MIDDLE) / float(settings["stretch"])

    ends = (_LOWEST, _HIGHEST)
    return Fitted(
        vectors=(vectors[0], vectors[1], vectors[2]),
        centres={name: float(values.mean()) for name, values in usual.items()},
        widths=widths,
        weights={
            "terms": by_words * widths["terms"],
            "concepts": widths["concepts"],
            **counts,
        },
        sums=np.array([total(end) for end in ends]),
        levels=np.array(ends),
        wording=words,
    )


def wording(told: Table, settings: dict[str, Any]) -> Wording:
    """The words that at least so many sites use, the commonest ones, each with its weight."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import Ridge

    sites: dict[str, set[str]] = defaultdict(set)
    counts: Counter[str] = Counter()
    for text, site in zip(told.texts, told.sites, strict=True):
        found = set(WORD.findall(text.lower()))
        counts.update(found)
        for word in found:
            sites[word].add(str(site))
    shared = [word for word, n in counts.items() if len(sites[word]) >= settings["sites"] <= n]
    kept = sorted(sorted(shared, key=lambda w: (-counts[w], w))[: settings["vocabulary"]])
    cutter = TfidfVectorizer(vocabulary=kept, sublinear_tf=True, token_pattern=WORD.pattern)
    ridge = Ridge(alpha=settings["word_ridge"]).fit(cutter.fit_transform(told.texts), told.levels)
    idf = dict(zip(kept, map(float, cutter.idf_), strict=True))
    return Wording(idf, dict(zip(kept, map(float, ridge.coef_), strict=True)))


def _by_readings(
    told: Table, directions: Numbers, settings: dict[str, Any]
) -> tuple[list[Numbers], Numbers]:
    """Three vectors and a slope for each sign. What lies along the axis is cheaper to learn than
    any other direction: what is taught first and what last is known beforehand."""
    from sklearn.linear_model import Ridge

    views = told.views
    axis = directions.mean(axis=0)
    axis = axis / np.linalg.norm(axis) * settings["axis"]
    centres, widths = told.signs.mean(axis=0), told.signs.std(axis=0) + 1e-9
    signs = np.clip((told.signs - centres) / widths, -3, 3) * settings["signs"]
    along = np.stack([view @ axis for view in views], axis=1)
    ridge = Ridge(alpha=settings["ridge"]).fit(np.hstack([*views, signs, along]), told.levels)
    ends = np.cumsum([*(view.shape[1] for view in views), len(FACTORS)])
    *parts, slopes, followed = np.split(ridge.coef_, ends)
    vectors = [part + by * axis for part, by in zip(parts, followed, strict=True)]
    return vectors, slopes * settings["signs"] / widths


# What to learn from -> the level of each text of another table.
Told = Callable[[Table, Table], Numbers]


def ways(taught: Table, directions: Numbers, settings: dict[str, Any]) -> dict[str, Told]:
    """Ours and those to compare with, the dumb ones first."""

    def middle(_: Table, new: Table) -> Numbers:
        return np.full(len(new.levels), _MIDDLE)

    def words(known: Table, new: Table) -> Numbers:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.linear_model import Ridge

        cutter = TfidfVectorizer(min_df=3, max_features=20_000, sublinear_tf=True)
        ridge = Ridge().fit(cutter.fit_transform(known.texts), known.levels)
        return np.asarray(ridge.predict(cutter.transform(new.texts)))

    def labels_alone(_: Table, new: Table) -> Numbers:
        fitted = fit(taught, directions, settings["labels"])
        return fitted.level(fitted.total(new))

    def ours(known: Table, new: Table) -> Numbers:
        fitted = joined(taught, known, directions, settings)
        return fitted.level(fitted.total(new))

    return {
        "always the middle": middle,
        "TF-IDF, ridge": words,
        "labels of the sites alone": labels_alone,
        "ours": ours,
    }


def unseen(told: Table, held: NDArray[np.bool_], way: Told) -> dict[str, Any]:
    """Each site as told by the others; those held out, as told by all that teach."""
    levels = np.zeros(len(told.levels))
    for site in sorted(set(told.sites[~held])):
        mine = told.sites == site
        levels[mine] = way(told.of(~mine & ~held), told.of(mine))
    if held.any():
        levels[held] = way(told.of(~held), told.of(held))
    levels = np.clip(levels, _LOWEST, _HIGHEST)
    return {
        "teach": _figures(levels[~held], told.of(~held)),
        "held out": _figures(levels[held], told.of(held)) if held.any() else {},
        "levels": levels.tolist(),
    }


def _figures(levels: Numbers, told: Table) -> dict[str, Any]:
    return figures(levels, told.levels) | ranked(levels, told.levels, told.sites)


def figures(levels: Numbers, truth: Numbers) -> dict[str, float]:
    apart = np.abs(levels - truth)
    return {
        "texts": len(levels),
        "mean": float(levels.mean()),
        "apart": float(apart.mean()),
        "within_one": float((apart <= 1.0).mean()),
        "spearman_all": float(np.nan_to_num(spearman(levels, truth))),
    }


def without(told: Table, site: str) -> Table:
    """Less the texts of the site's owner: "arm install guides" when "arm-learning-paths" is read."""
    owner = _owner(site)
    return told.of(np.array([_owner(str(other)) != owner for other in told.sites]))


def _owner(site: str) -> str:
    return re.split(r"[-/ ]", site)[0].lower()
