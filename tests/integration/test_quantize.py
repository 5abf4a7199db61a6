"""The quantize step: what is wrong is said before an hour is spent, and nothing half is left."""

from __future__ import annotations

import errno
import gzip
import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.tiny_model import tiny_checkpoint

from training.config import read
from training.model import quantize as step
from training.model.measuring import examples, linear_bytes, lost_between

ROOT = Path(__file__).parents[2]
HAS_GPTQ = importlib.util.find_spec("gptqmodel") is not None


def rows(folder: Path, name: str, count: int, about: str) -> None:
    with gzip.open(folder / name, "wt", encoding="utf-8") as file:
        for number in range(count):
            row = {
                "id": f"{about}/{number}",
                "title": f"{about} {number}",
                "content": f"{about} number {number} keeps things in order. " * 8,
                "summary": f"{about} {number} keeps order.",
                "language": "en",
            }
            file.write(json.dumps(row) + "\n")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows(tmp_path, "train.jsonl.gz", 12, "A queue")
    rows(tmp_path, "dev.jsonl.gz", 4, "A stack")
    return tmp_path


def written(data: Path, **changed: Any) -> Path:
    said: dict[str, Any] = {
        "model": str(tiny_checkpoint()),
        "out": str(data / "out"),
        "device": "cpu",
        "group_size": 32,
        "calibration": {"files": ["train.jsonl.gz"], "rows": 8, "max_tokens": 128},
        "measure": {"files": ["dev.jsonl.gz"], "rows": 3, "answers": 1, "max_new_tokens": 4},
    }
    path = data / "quantize.yaml"
    path.write_text(yaml.safe_dump(said | changed), encoding="utf-8")
    return path


def said(data: Path, config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = step.main(["--config", str(config), "--data", str(data)])
    return code, capsys.readouterr().err


def test_the_config_in_the_repository_is_a_whole_one() -> None:
    config = read(ROOT / "config" / "training" / "quantize.yaml", step.QuantizeSettings)
    assert config.bits == 4


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"bit": 4}, "bit: no such setting; did you mean bits?"),
        ({"bits": 5}, "bits"),
        ({"group_size": 48}, "group_size"),
        ({"measure": {"files": ["train.jsonl.gz"]}}, "calibrated on and measured on"),
        ({"adapter": "somewhere"}, "leave model empty"),
        ({"calibration": {"files": ["none.jsonl.gz"]}}, "there is no such file"),
    ],
)
def test_a_mistake_in_the_config_is_one_sentence(
    changed: dict[str, Any], sentence: str, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, error = said(data, written(data, **changed), capsys)
    assert code == 2
    assert sentence in error
    assert "Traceback" not in error


def test_articles_on_both_sides_are_found(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows(data, "dev.jsonl.gz", 4, "A queue")
    code, error = said(data, written(data), capsys)
    assert (code, "both in calibration and in measure" in error) == (2, True)


def test_a_broken_row_is_named_by_file_and_line(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (data / "broken.jsonl").write_text('{"content": "a", "summary": "b"}\n{"content": \n')
    config = written(data, calibration={"files": ["broken.jsonl"]})
    code, error = said(data, config, capsys)
    assert (code, "broken.jsonl:2" in error) == (1, True)


def test_what_is_there_is_not_overwritten(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (data / "out").mkdir()
    code, error = said(data, written(data), capsys)
    assert (code, "there already" in error) == (2, True)


def test_a_full_disk_leaves_nothing(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(source: Path, target: Path, *_: Any) -> None:
        (target / "half.safetensors").write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(step, "calibrate_and_save", full)
    monkeypatch.setattr(step, "measured", lambda *_: None)
    code, error = said(data, written(data), capsys)
    assert (code, "the disk is full" in error) == (1, True)
    assert not list(data.glob("out*"))


def test_what_is_lost_is_told_with_its_margin() -> None:
    before = [30.0, 50.0, 40.0, 20.0] * 30
    low, high = lost_between(before, [score * 0.98 for score in before])
    assert [low, high] == pytest.approx([2.0, 2.0])
    noise = [score + (5.0 if i % 2 else -5.0) for i, score in enumerate(before)]
    low, high = lost_between(before, noise)
    assert low < 0 < high
    assert lost_between([0.0], [0.0])[0] > 0  # nothing to lose is no division by zero


def test_two_folders_that_are_there_are_compared_in_batches_as_one_by_one(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config, folder = written(data), str(tiny_checkpoint())
    reports = []
    for batch in ("1", "3"):
        said_of = ["--compare", folder, folder, "--rows", "4", "--batch", batch]
        report = data / f"report{batch}.json"
        told = ["--config", str(config), "--data", str(data), "--report", str(report)]
        assert step.main([*said_of, *told]) == 0
        reports.append(json.loads(report.read_text(encoding="utf-8")))
    error = capsys.readouterr().err
    assert "1.00 times smaller" in error
    assert "plain layers" in error
    one, three = reports
    assert (one["rows"], one["rouge_l_loss_percent"], one["within"]) == (4, 0.0, True)
    assert one["before"]["answer_perplexity"] == one["after"]["answer_perplexity"]
    for name in ("answer_perplexity", "text_perplexity", "rouge_l", "title_rouge_l"):
        assert three["before"][name] == pytest.approx(one["before"][name], rel=1e-4)
    assert not (data / "out").exists()


def test_a_row_is_asked_as_the_service_asks(data: Path) -> None:
    rows(data, "long.jsonl.gz", 1, "A heap")
    (one,) = examples([data / "long.jsonl.gz"], 1, 17)
    assert one.prompt.user.endswith("Summarize this article in one sentence.")
    assert "A heap number 0 keeps things in order." in one.prompt.user
    assert len(one.prompt.user.split()) < 110


@pytest.mark.skipif(HAS_GPTQ, reason="gptqmodel is installed: the whole way is tested instead")
def test_without_gptqmodel_it_says_how_to_get_it(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(step, "measured", lambda *_: None)
    code, error = said(data, written(data), capsys)
    assert (code, "pip install" in error) == (1, True)
    assert not list(data.glob("out*"))


@pytest.mark.slow
@pytest.mark.skipif(not HAS_GPTQ, reason="gptqmodel is not installed")
def test_the_whole_way_makes_a_folder_that_loads(
    data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, error = said(data, written(data), capsys)
    assert code == 0, error
    manifest = json.loads((data / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["linear_bytes"]["ratio"] > 2.5
    assert manifest["data"].keys() == {"train.jsonl.gz", "dev.jsonl.gz"}
    assert linear_bytes(data / "out") == manifest["linear_bytes"]["after"]


def test_the_same_seed_chooses_the_same_rows(data: Path) -> None:
    files = [data / "train.jsonl.gz"]
    first = [one.id for one in examples(files, 5, 1)]
    assert first == [one.id for one in examples(files, 5, 1)]
    assert first != [one.id for one in examples(files, 5, 2)]
