"""Cross-fitting on a tiny model: who drafts an article has not learned from it, and one learned from all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.papers import M2, article, papers, write
from support.tiny_model import tiny_checkpoint

from core.errors import SettingsError
from training.config import TrainingConfig, read
from training.model import crossfit
from training.model.crossfit import ALL, Crossfit
from training.sentences.headline import Drafts, cases
from training.sets.examples import fold_of, kept_apart

pytestmark = pytest.mark.slow


def settings_of(tmp_path: Path, **changes: Any) -> Path:
    m2 = M2 | {"data": ["summary.train", "summary.train"], "validation": "summary.valid"}
    made: dict[str, Any] = {
        "base": str(tiny_checkpoint()),
        "runs": str(tmp_path / "crossfit"),
        "data": str(papers(tmp_path / "data")),
        "examples": str(tmp_path / "examples"),
        "m2": m2,
        "folds": 2,
        "drafted": ["scitldr/train"],
        "held": ["scitldr/dev"],
        "batch": 32,
        "together": 2,
    }
    path = tmp_path / "crossfit.yaml"
    path.write_text(yaml.safe_dump(made | changes), encoding="utf-8")
    return path


def groups(config: Crossfit, part: str) -> list[str]:
    path = config.of(part).examples / "summary.train.jsonl"
    return [json.loads(line)["group"] for line in path.read_text(encoding="utf-8").splitlines()]


def test_who_drafts_an_article_has_not_learned_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = settings_of(tmp_path)
    config = read(path, Crossfit)
    crossfit.prepare(config)
    every = {f"t/{n}" for n in range(30)}
    assert set(groups(config, ALL)) == every  # what `headline` keeps apart is learned, too
    for part in ("0", "1"):
        own = {one for one in every if str(fold_of(one, 2)) == part}
        assert own
        assert set(groups(config, part)) == every - own
    # One in this process, two in their own.
    crossfit.train_and_draft(config, "0")
    before = (tmp_path / "crossfit/0/drafts.jsonl").stat().st_mtime_ns
    out = crossfit.run(path, config)
    assert (tmp_path / "crossfit/0/drafts.jsonl").stat().st_mtime_ns == before
    drafts = dict(json.loads(line) for line in out.read_text(encoding="utf-8").splitlines())
    assert set(drafts) == every | {f"t/{n}" for n in range(100, 105)}
    for part in ("0", "1", ALL):
        manifest = json.loads((tmp_path / f"crossfit/{part}/m2/manifest.json").read_text())
        assert manifest["figures"]["steps"] == 2
        lines = (tmp_path / f"crossfit/{part}/drafts.jsonl").read_text().splitlines()
        drafted = {json.loads(line)[0] for line in lines}
        assert drafted.isdisjoint(groups(config, part))
    # The forest of lines reads all of them with --every, and a seventh without.
    source = tmp_path / "data/scitldr/train.jsonl.gz"
    kept = Drafts(None, out)
    for every_one in (True, False):
        read_with = {one for one in every if drafts[one] and (every_one or kept_apart(one))}
        found = list(cases(source, "scitldr/train", kept, 99, every=every_one))
        assert len(found) == 30 + len(read_with)


def test_what_failed_is_named_with_its_log(tmp_path: Path) -> None:
    path = settings_of(tmp_path)
    config = read(path, Crossfit)
    crossfit.prepare(config)
    (config.of("1").examples / "summary.train.jsonl").write_text("no JSON\n", encoding="utf-8")
    with pytest.raises(SettingsError, match=r"not finished: 1; see .*crossfit/1/log\.txt"):
        crossfit.run(path, config, ("1",))
    assert "summary.train.jsonl:1" in (tmp_path / "crossfit/1/log.txt").read_text()


def test_a_part_that_there_is_not_is_named(tmp_path: Path) -> None:
    path = settings_of(tmp_path)
    with pytest.raises(SettingsError, match="no part 7; there are all, 0, 1"):
        crossfit.main(["--config", str(path), "--only", "7"])


def test_the_one_that_learned_all_is_taught_as_the_adapter_that_ships() -> None:
    folder = Path(__file__).parents[2] / "config/training"
    ours = read(folder / "crossfit.yaml", Crossfit).m2
    ships = read(folder / "embedded.yaml", TrainingConfig).m2
    assert ours is not None
    assert ships is not None
    assert ours == ships.model_copy(update={"save_steps": ours.save_steps})


def test_korean_rows_are_not_asked_of_a_base_that_does_not_write_them(tmp_path: Path) -> None:
    config = read(settings_of(tmp_path), Crossfit)
    rows = [article(n) | {"language": "ko"} for n in range(3)] + [article(3)]
    write(tmp_path / "data/scitldr/train.jsonl.gz", rows)
    asked = list(crossfit._questions(config))
    assert [one.id for one in asked if one.part == "unseen"] == ["t/3"]
