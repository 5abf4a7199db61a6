"""The Korean difficulty judge: Korean articles told by the English head, through a gloss.

    python -m training parallel --site vue --korean … --english …     (once a site)
    python -m training korean --parallel runs/korean/parallel.jsonl --data ../shared/data

No Korean article has a label that could be learned from, but translations are as hard as their
originals. Pages in both languages give a dictionary (`training/levels/dictionary.py`); with it a Korean
text becomes English words, the embedded encoder reads those, and a ridge regression learns what
their vectors say of the original. Every page is glossed without what its own site taught, so it
learns from glosses as poor as those of a new site. Read on sites left out, and on translations in
the shared sets, which never teach. Writes `core/judging/data/gloss_ko.tsv.gz` and
`difficulty_ko.json` with its manifest; report and picture into the run's folder.
"""

from __future__ import annotations

import argparse
import gzip
import logging
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from core.article import Article
from core.chunks import Document, cut
from core.judging import difficulty, meaning, wording
from core.judging.glossing import gloss
from core.ports import Vectors
from training.encoding import Embedder
from training.levels import readings
from training.levels.dictionary import Segment, dictionary, segments
from training.lines import read, rows
from training.reporting import draw_agreement, manifest, share_interval, write_json

OUT = Path(__file__).parents[2] / "core" / "judging" / "data"
# Sites whose pages never teach: translations in the shared sets.
TESTED = ("difficulty", "glossary")
_CHARACTERS = 300
Numbers = NDArray[np.float64]
Words = dict[str, str]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Unit:
    """A page or one of its sections. `views`: vectors of the Korean text's gloss, those of title,
    whole text and opening after one another; `concept`, `terms` and `level` are the English
    text's; `signs` the Korean text's own, `before` its level by measurements. Of a section only
    views and concept are known."""

    site: str
    key: str
    whole: bool
    views: Numbers
    concept: float
    terms: float
    level: float
    signs: dict[str, float]
    before: float


def units(
    pages: Sequence[dict[str, Any]],
    paired: Mapping[str, Sequence[Segment]],
    embedder: Embedder,
    least: float,
) -> Iterator[Unit]:
    """Each page, then its sections where both languages have as many. `paired`: `by_site`."""
    for site in sorted({page["site"] for page in pages}):
        taught = [one for other, mine in paired.items() if other != site for one in mine]
        known = dictionary(taught, least)
        log.info("%s: %d words from the other sites", site, len(known))
        for page in pages:
            if page["site"] == site:
                yield from _page(page, known, embedder)


def by_site(pages: Sequence[dict[str, Any]]) -> dict[str, list[Segment]]:
    """The paired paragraphs of the sites that teach."""
    sites = sorted({page["site"] for page in pages} - set(TESTED))
    return {
        site: list(segments([page for page in pages if page["site"] == site])) for site in sites
    }


def _page(page: dict[str, Any], known: Words, embedder: Embedder) -> Iterator[Unit]:
    translated, original = (
        (page[side]["title"], page[side]["content"]) for side in ("korean", "english")
    )
    both = [("", translated, original)]
    parts = _sections(translated[1]), _sections(original[1])
    if page["site"] not in TESTED and len(parts[0]) == len(parts[1]) > 1:
        both += [
            (f"#{number}", one, other)
            for number, (one, other) in enumerate(zip(*parts, strict=True))
            if one[1].strip() and other[1].strip()
        ]
    cut_up = [(number, _document(*ours), _document(*theirs)) for number, ours, theirs in both]
    texts = [(_texts(ours, known), _texts(theirs)) for _, ours, theirs in cut_up]
    found = list(dict.fromkeys(text for pair in texts for one in pair for text in one))
    vectors = dict(zip(found, embedder.embed(found), strict=True))
    for (number, ours, theirs), (gloss_of, text_of) in zip(cut_up, texts, strict=True):
        if (ours.language, theirs.language) == ("ko", "en") and min(ours.words, theirs.words) >= 30:
            seen = _rows(gloss_of, vectors), _rows(text_of, vectors)
            yield _unit(page["site"], page["key"] + number, ours, theirs, *seen, known)


def _sections(content: str) -> list[tuple[str, str]]:
    cut_up = re.split(r"^##\s+(.+)$", content, flags=re.M)
    return list(zip(cut_up[1::2], cut_up[2::2], strict=True))


def _document(title: str, content: str) -> Document:
    return cut(Article(title=title.strip() or None, content=content), 330)


def _texts(document: Document, known: Words | None = None) -> list[str]:
    """Title and sentences as the encoder gets them; through the gloss where words are given."""
    told = [document.title, *(one.text for one in document.sentences)]
    if known is None:
        return [text[:_CHARACTERS] or " " for text in told]
    return [gloss(text, known)[:_CHARACTERS] or " " for text in told]


def _rows(texts: Sequence[str], vectors: dict[str, Vectors]) -> Vectors:
    return np.array([vectors[t] * float(bool(t.strip())) for t in texts], dtype=np.float32)


def _unit(
    site: str,
    key: str,
    ours: Document,
    theirs: Document,
    glossed: Vectors,
    original: Vectors,
    known: Words,
) -> Unit:
    """`glossed` and `original`: rows for title and sentences."""
    page = "#" not in key
    return Unit(
        site=site,
        key=f"{site}/{key}",
        whole=page,
        views=np.concatenate(meaning.views(glossed[0], glossed[1:])).astype(float),
        concept=meaning.head().concept(original[0], original[1:]),
        terms=wording.score(theirs) if page else math.nan,
        level=difficulty.judge(theirs, original).level.score if page else math.nan,
        signs=_signs(ours, known) if page else {},
        before=difficulty.by_words(ours) if page else math.nan,
    )


def translations(root: Path) -> list[dict[str, Any]]:
    """Labelled articles and terms that the shared sets have in both languages."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for file in ("difficulty/train", "difficulty/valid"):
        for row in rows(root / f"{file}.jsonl.gz"):
            key = "difficulty", re.sub(r"/(?:ko|en)/", "/", row["id"])
            found.setdefault(key, {})[row["language"]] = row["title"], row["content"]
    for row in rows(root / "glossary" / "cncf.jsonl.gz"):
        key = "glossary", row["slug"]
        found.setdefault(key, {})[row["language"]] = row["term"], row["full"]
    return [
        {
            "site": site,
            "key": name,
            "korean": dict(zip(("title", "content"), sides["ko"], strict=True)),
            "english": dict(zip(("title", "content"), sides["en"], strict=True)),
        }
        for (site, name), sides in found.items()
        if len(sides) == 2
    ]


def fit(found: Sequence[Unit], settings: dict[str, Any]) -> meaning.Glossed:
    """What the English head says of a gloss, set right by a line, and what it misses by a ridge;
    all sites alike."""
    from sklearn.linear_model import LinearRegression, Ridge

    weight = _weights(found, settings["section"])
    target = np.array([unit.concept for unit in found])
    views = np.array([unit.views for unit in found])
    head = meaning.head()
    own = np.array([head.title, head.mean, head.opening], dtype=float)
    said = np.einsum("ijk,jk->ij", views.reshape(len(found), *own.shape), own)
    line = LinearRegression(positive=True).fit(said, target, sample_weight=weight)
    missed = target - line.predict(said)
    ridge = Ridge(alpha=settings["ridge"]).fit(views, missed, sample_weight=weight)
    vectors = own * line.coef_[:, None] + ridge.coef_.reshape(own.shape)
    whole = [unit for unit in found if unit.whole]
    slope, constant = np.polyfit(
        [unit.signs["terms"] for unit in whole], [unit.terms for unit in whole], 1
    )
    title, mean, opening = vectors.astype(np.float32)
    return meaning.Glossed(
        encoder=head.encoder,
        title=title,
        mean=mean,
        opening=opening,
        constant=float(line.intercept_ + ridge.intercept_),
        terms=(float(slope), float(constant)),
    )


def _weights(found: Sequence[Unit], section: float) -> Numbers:
    """Of mean 1, alike for each site; a section counts less than a page."""
    raw = np.array([1.0 if unit.whole else section for unit in found])
    sites = np.array([unit.site for unit in found])
    for site in set(sites):
        raw[sites == site] /= raw[sites == site].sum()
    return np.asarray(raw / raw.mean())


def told(unit: Unit, fitted: meaning.Glossed) -> float:
    """The level of the Korean text, 1-5, as `core.judging.difficulty` tells it."""
    return _level(tuple(unit.views.reshape(3, -1)), unit.signs, fitted)


def _level(views: Sequence[Any], signs: Mapping[str, float], fitted: meaning.Glossed) -> float:
    exact = difficulty.from_signs(
        {**signs, "concepts": fitted.said(*views), "terms": fitted.wording(signs["terms"])}
    )
    return round(min(5.0, max(1.0, exact)), 1)


def _signs(document: Document, known: Words) -> dict[str, float]:
    """A Korean text's own."""
    return {"terms": wording.score(document, known), **difficulty.signs(document)}


def unseen(found: Sequence[Unit], settings: dict[str, Any]) -> dict[str, Any]:
    """Whole pages of each site, told by what the other sites taught."""
    report: dict[str, Any] = {}
    for site in sorted({unit.site for unit in found}):
        others = [unit for unit in found if unit.site not in (site, *TESTED)]
        if not others:  # the only site that teaches cannot be judged
            continue
        taught = fit(others, settings)
        mine = [unit for unit in found if unit.site == site and unit.whole]
        report[site] = apart(mine, [told(unit, taught) for unit in mine])
    return report


def apart(found: Sequence[Unit], levels: Sequence[float]) -> dict[str, Any]:
    """How far translations are from their originals, with what would be said without this."""
    from scipy.stats import spearmanr

    originals = np.array([unit.level for unit in found])
    ways = {
        "gloss": np.array(levels),
        "words alone": np.array([unit.before for unit in found]),
        "always the middle": np.full(len(found), 3.0),
    }
    report: dict[str, Any] = {"pages": len(found), "keys": [unit.key for unit in found]}
    for way, given in ways.items():
        far = np.round(np.abs(given - originals), 6)
        low, high = share_interval(int((far <= 0.5).sum()), len(far))
        flat = len(set(given.tolist())) == 1 or len(set(originals.tolist())) == 1
        report[way] = {
            "within_half": float((far <= 0.5).mean()),
            "within_half_interval": [low, high],
            "within_one": float((far <= 1.0).mean()),
            "mean_apart": float(far.mean()),
            "spearman": 0.0 if flat else float(spearmanr(given, originals).statistic),
            "levels": given.tolist(),
        }
    return {**report, "originals": originals.tolist()}


def readings_apart(
    found: Sequence[dict[str, Any]], made: meaning.Glossed, known: Words, embedder: Embedder
) -> dict[str, Any]:
    """Korean texts whose level is known without an original, beside what would be said without this."""
    levels, before = [], []
    for row in found:
        document = _document(row["title"], row["content"])
        texts = _texts(document, known)
        vectors = _rows(texts, dict(zip(texts, embedder.embed(texts), strict=True)))
        views = meaning.views(vectors[0], vectors[1:])
        levels.append(_level(views, _signs(document, known), made))
        before.append(difficulty.by_words(document))
    truth = np.array([row["level"] for row in found])
    ways = {"gloss": levels, "words alone": before, "always the middle": [3.0] * len(found)}
    return {way: readings.figures(np.array(given), truth) for way, given in ways.items()}


def save(known: Words, path: Path) -> None:
    lines = "".join(f"{ours}\t{theirs}\n" for ours, theirs in sorted(known.items()))
    path.write_bytes(gzip.compress(lines.encode(), mtime=0))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training korean", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/korean.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--parallel", type=Path, default=Path("runs/korean/parallel.jsonl"))
    parser.add_argument("--encoder", type=Path, help="a prepared encoder's folder")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    settings: dict[str, Any] = yaml.safe_load(asked.config.read_text("utf-8"))
    pages = [row for _, row in read(asked.parallel)]
    embedder = Embedder(asked.encoder, Path(settings["out"]) / "vectors.npz")
    paired = by_site(pages)
    found = list(units([*pages, *translations(asked.data)], paired, embedder, settings["least"]))
    known = dictionary(list(chain.from_iterable(paired.values())), settings["least"])
    save(known, OUT / "gloss_ko.tsv.gz")
    made = fit([unit for unit in found if unit.site not in TESTED], settings)
    write_json(made.numbers(), OUT / "difficulty_ko.json")
    report = unseen(found, settings)
    _leave(report, Path(settings["out"]))
    files = [Path(path) for path in settings["held"]]
    told = readings.texts(readings.levels(), asked.data, files)
    korean = [row for row in told if row["language"] == "ko"]
    beside = readings_apart(korean, made, known, embedder) if korean else {}
    for way, one in beside.items():
        log.info(
            "readings (%d) | %s | mean %.2f | within 1 %.2f | Spearman %.2f",
            *(one["texts"], way, one["apart"], one["within_one"], one["spearman_all"]),
        )
    write_json(beside, Path(settings["out"]) / "readings.json")
    figures = {
        site: {way: one[way]["within_half"] for way in ("gloss", "words alone")}
        for site, one in report.items()
    }
    made_of = {**settings, "sites": sorted({unit.site for unit in found} - set(TESTED))}
    write_json(manifest(made_of, [asked.parallel], figures), OUT / "difficulty_ko.manifest.json")
    return 0


def _leave(report: dict[str, Any], out: Path) -> None:
    for site, one in report.items():
        for way in ("gloss", "words alone", "always the middle"):
            log.info(
                "%s (%d) | %s | within .5 %.2f [%.2f, %.2f] | within 1 %.2f | mean %.2f | Spearman %.2f",
                site,
                one["pages"],
                way,
                one[way]["within_half"],
                *one[way]["within_half_interval"],
                one[way]["within_one"],
                one[way]["mean_apart"],
                one[way]["spearman"],
            )
    write_json(report, out / "report.json")
    drawn = {s: (one["originals"], one["gloss"]["levels"]) for s, one in report.items()}
    draw_agreement(drawn, out / "agreement.png")


if __name__ == "__main__":
    raise SystemExit(main())
