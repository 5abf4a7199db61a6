"""Models that leave a part of the articles out, and what each drafts of these; and one that learned all.

    python -m training crossfit --config config/training/crossfit.yaml [--together N] [--only 0 all …]

The forests of `headline` learn which draft to choose. Drafts of what a model has learned from flatter
it, so `m2` keeps a seventh of the articles from the model for them. Here the articles are cut into
parts, and for each a model learns from the others and drafts it (Wolpert 1992, Stacked
generalization, doi:10.1016/S0893-6080(05)80023-1): seven times as many drafts, of models as good as
the one that learns from all.

    python -m training headline --drafts runs/crossfit/drafts.jsonl --every --posts runs/posts.jsonl

Each model is a process of its own; what is finished is not run again. Writes <runs>/<part>/m2 and
drafts.jsonl for each part, and <runs>/drafts.jsonl of all of them.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pydantic import Field

from core.errors import SettingsError
from training.config import Stage, TrainingConfig, read
from training.lines import read as read_rows
from training.lines import rows
from training.model.questions import Question, load, summary, write
from training.model.variant import DRAFTS, drafted, train, trained

log = logging.getLogger("training.model.crossfit")

ALL = "all"
_QUESTIONS = "questions.jsonl"


class Crossfit(TrainingConfig):
    """`m2` names the files that all of the models learn from, without what is kept apart: that is
    added. `drafted`: sets of the data folder that each part's model drafts, beside the posts; `held`:
    sets that nobody learns from, drafted by the model that learned from all. `batch`: prompts that
    are answered at once; `together`: processes."""

    m2: Stage
    folds: int = Field(4, ge=2, le=64)
    drafted: tuple[str, ...] = Field(min_length=1)
    held: tuple[str, ...] = ()
    batch: int = Field(192, ge=1)
    together: int = Field(1, ge=1, le=64)

    @property
    def parts(self) -> tuple[str, ...]:
        return (ALL, *map(str, range(self.folds)))

    def of(self, part: str) -> TrainingConfig:
        """How the model of a part is trained."""
        own = {name: getattr(self, name) for name in TrainingConfig.model_fields}
        place = self.runs / part
        return TrainingConfig(**own | {"runs": place, "examples": place / "examples"})


# --- what they learn from and what they are asked


def prepare(config: Crossfit) -> None:
    """Examples and questions, where they are not there yet. Raises SettingsError, BadArticle."""
    from training.sets import examples

    if not any(config.examples.glob("*.jsonl")):
        log.info("examples")
        examples.build(config.data, config.examples, examples.posts_of(config))
    for part in config.parts:
        if not config.of(part).examples.is_dir():
            _share(config, part)
    if not (config.runs / _QUESTIONS).is_file():
        log.info("questions")
        write(config.runs / _QUESTIONS, _questions(config))


def _share(config: Crossfit, part: str) -> None:
    """The examples of one model, whole or not at all: those of the other parts."""
    target = config.of(part).examples
    partial = target.with_name("examples.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    for name in dict.fromkeys(config.m2.data):
        learned = config.examples / f"{name}.jsonl"
        kept_apart = config.examples / f"{name.removesuffix('.train')}.choose.jsonl"
        with (partial / learned.name).open("w", encoding="utf-8") as file:
            file.writelines(_lines_for(learned, part, config.folds))
            if kept_apart.is_file():
                file.writelines(_lines_for(kept_apart, part, config.folds))
    if config.m2.validation:
        name = f"{config.m2.validation}.jsonl"
        shutil.copyfile(config.examples / name, partial / name)
    partial.replace(target)


def _lines_for(path: Path, part: str, folds: int) -> Iterator[str]:
    from training.sets.examples import fold_of

    with path.open(encoding="utf-8") as file:
        for (_, row), line in zip(read_rows(path), file, strict=True):
            if str(fold_of(row["group"], folds)) != part:
                yield line


def _questions(config: Crossfit) -> Iterator[Question]:
    from training.sets.examples import posts_of

    for name in config.drafted:
        for row in rows(config.data / f"{name}.jsonl.gz"):
            if row.get("language", "en") == "en":
                yield from summary(name, row, "unseen")
    for path in posts_of(config):
        for row in rows(path):
            yield from summary("posts", row, "unseen")
    for name in config.held:
        for row in rows(config.data / f"{name}.jsonl.gz"):
            yield from summary(name, row, "held")


# --- one model


def train_and_draft(config: Crossfit, part: str) -> None:
    from training.sets.examples import fold_of

    own, begin = config.of(part), time.monotonic()
    train(own, part)
    model, template = trained(own)
    asked = [
        one
        for one in load(config.runs / _QUESTIONS)
        if (part == ALL if one.part == "held" else str(fold_of(one.id, config.folds)) == part)
    ]
    (own.runs / DRAFTS).unlink(missing_ok=True)
    drafted(model, template, asked, own.runs, config.batch)
    log.info("%s: %d articles drafted after %.0f s", part, len(asked), time.monotonic() - begin)


# --- all of them


def run(path: Path, config: Crossfit, only: tuple[str, ...] = ()) -> Path:
    """The file of all drafts. `path`: the configuration, which each process reads again. Raises
    SettingsError where a model was not finished."""
    prepare(config)
    _with_base(config)

    def go(part: str) -> None:
        place = config.runs / part
        asked = ["--config", str(path), "--part", part]
        command = [sys.executable, "-m", "training", "crossfit", *asked]
        with (place / "log.txt").open("a", encoding="utf-8") as file:
            ended = subprocess.run(command, stdout=file, stderr=file, check=False)  # noqa: S603 - our own words
        log.info("part %s: %s", part, "done" if ended.returncode == 0 else "failed")

    with ThreadPoolExecutor(config.together) as pool:
        wanted = [part for part in config.parts if not only or part in only]
        list(pool.map(go, [one for one in wanted if not (config.runs / one / DRAFTS).is_file()]))
    missing = [one for one in wanted if not (config.runs / one / DRAFTS).is_file()]
    if missing:
        logs = ", ".join(str(config.runs / one / "log.txt") for one in missing)
        raise SettingsError([f"not finished: {', '.join(missing)}; see {logs}"])
    out = config.runs / DRAFTS
    found = [config.runs / one / DRAFTS for one in config.parts]
    text = "".join(one.read_text(encoding="utf-8") for one in found if one.is_file())
    out.write_text(text, encoding="utf-8")
    return out


def _with_base(config: Crossfit) -> Crossfit:
    """The embedded base is unpacked once, for all."""
    from training.model.bases import plain_folder

    return config.model_copy(update={"base": plain_folder(config)})


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training crossfit", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/crossfit.yaml"))
    parser.add_argument("--only", nargs="+", default=[], metavar="PART", help="0, 1, … and all")
    parser.add_argument("--together", type=int, default=0, help="instead of the configuration's")
    parser.add_argument("--prepare", action="store_true", help="examples and questions, no more")
    parser.add_argument("--part", help="this one, in this process")
    asked = parser.parse_args(arguments)
    # rouge-score brings a root handler of its own
    logging.basicConfig(level=logging.INFO, format="%(message)s", force=True)
    config = read(asked.config, Crossfit)
    unknown = {asked.part, *asked.only} - {None, *config.parts}
    if unknown:
        parts = ", ".join(config.parts)
        raise SettingsError([f"no part {', '.join(sorted(unknown))}; there are {parts}"])
    if asked.prepare:
        prepare(config)
    elif asked.part:
        train_and_draft(_with_base(config), asked.part)
    else:
        many = config.model_copy(update={"together": asked.together or config.together})
        log.info("drafts in %s", run(asked.config, many, tuple(asked.only)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
