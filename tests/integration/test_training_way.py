"""The whole way on a tiny model: data, M1, tokenizer, M2, merge, export; killed and gone on."""

from __future__ import annotations

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from support.papers import article, write
from support.tiny_model import tiny_checkpoint

from core.errors import BadArticle, SettingsError
from core.prompts.judgement import parse
from training import all as whole_way
from training.config import TrainingConfig, read
from training.model import average, m1, m2, merge, tokenizer
from training.sets import examples

pytestmark = pytest.mark.slow


@pytest.fixture
def data(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    write(root / "scitldr/train.jsonl.gz", [article(n) for n in range(40)])
    write(root / "scitldr/dev.jsonl.gz", [article(n) for n in range(100, 108)])
    for name in examples.SETS:
        if not (root / f"{name}.jsonl.gz").exists():
            write(root / f"{name}.jsonl.gz", [])
    return root


def config_of(tmp_path: Path, data: Path, **changes: Any) -> TrainingConfig:
    made: dict[str, Any] = {
        "base": str(tiny_checkpoint()),
        "runs": str(tmp_path / "runs"),
        "data": str(data),
        "examples": str(tmp_path / "examples"),
        "m1": {
            "data": ["scitldr/train"],
            "max_steps": 3,
            "batch_size": 2,
            "max_length": 64,
            "learning_rate": 0.01,
            "lora": {"rank": 4, "alpha": 8},
        },
        "m2": {
            "data": ["summary.train"],
            "validation": "summary.valid",
            "max_steps": 4,
            "batch_size": 2,
            "max_length": 1024,
            "learning_rate": 0.01,
            "save_steps": 1,
            "lora": {"rank": 4, "alpha": 8, "layers": 1},
        },
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(made | changes), encoding="utf-8")
    return read(path, TrainingConfig)


def test_one_command_goes_the_whole_way_and_again_it_has_nothing_to_do(
    tmp_path: Path, data: Path
) -> None:
    config = config_of(tmp_path, data)
    exported = whole_way.run(config)
    assert (exported / "model.bin").is_file()
    made = json.loads((config.runs / "m2/manifest.json").read_text(encoding="utf-8"))
    assert made["figures"]["valid_loss"] < made["figures"]["valid_loss_before"]
    assert made["prompts"] == examples.VERSIONS
    assert set(made["data"]) == {"summary.train.jsonl", "summary.valid.jsonl"}
    assert (config.runs / "m2/curves.png").stat().st_size > 1000
    assert "No chat messages" in (config.runs / "m2/README.md").read_text(encoding="utf-8")
    # only the upper block of the two has matrices
    adapter = json.loads((config.runs / "m2/adapter_config.json").read_text(encoding="utf-8"))
    assert adapter["layers_to_transform"] == [1]
    before = (config.runs / "m2/metrics.jsonl").stat().st_mtime_ns
    whole_way.run(config)
    assert (config.runs / "m2/metrics.jsonl").stat().st_mtime_ns == before


def test_a_run_killed_in_the_middle_goes_on_to_the_same_curve(tmp_path: Path, data: Path) -> None:
    stage = {
        "data": ["summary.train"],
        "max_steps": 6,
        "batch_size": 2,
        "max_length": 1024,
        "learning_rate": 0.01,
        "save_steps": 1,
        "lora": {"rank": 4, "alpha": 8},
    }
    whole = config_of(tmp_path, data, m1=None, m2=stage, runs=str(tmp_path / "whole"))
    examples.build(data, whole.examples)
    m2.run(whole)
    killed = config_of(tmp_path, data, m1=None, m2=stage, runs=str(tmp_path / "killed"))
    command = [sys.executable, "-m", "training", "m2", "--config", str(tmp_path / "config.yaml")]
    checkpoints = tmp_path / "killed/m2/checkpoints"
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    running = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    try:
        while not list(checkpoints.glob("checkpoint-*/trainer_state.json")):
            assert running.poll() is None
            time.sleep(0.01)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
    m2.run(killed)
    assert weights(tmp_path / "killed/m2") == pytest.approx(
        weights(tmp_path / "whole/m2"), abs=2e-3
    )


def test_two_processes_with_sharded_weights_train_one_adapter(tmp_path: Path, data: Path) -> None:
    config = config_of(tmp_path, data, m1=None)
    examples.build(data, config.examples)
    settings = Path(__file__).parents[2] / "config/training/fsdp.yaml"
    command = [sys.executable, "-m", "accelerate.commands.launch", f"--config_file={settings}"]
    command += ["--mixed_precision=no"]
    command += ["-m", "training", "m2", "--config", str(tmp_path / "config.yaml")]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    ended = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert ended.returncode == 0, ended.stderr[-2000:]
    made = json.loads((config.runs / "m2/manifest.json").read_text(encoding="utf-8"))
    assert made["figures"]["processes"] == 2
    assert made["figures"]["valid_loss"] < made["figures"]["valid_loss_before"]
    assert len(weights(config.runs / "m2")) > 0


def weights(adapter: Path) -> list[float]:
    from safetensors.torch import load_file

    found = load_file(adapter / "adapter_model.safetensors")
    return [float(found[name].float().abs().mean()) for name in sorted(found)]


def test_new_tokens_begin_as_the_mean_of_their_pieces_and_are_kept_only_if_they_pay(
    tmp_path: Path, data: Path
) -> None:
    wanted = {"data": ["scitldr/train"], "documents": 5, "pieces": 3, "most": 4}
    config = config_of(tmp_path, data, tokenizer=wanted)
    figures = tokenizer.run(config)
    assert figures["added"] == 4
    after, before = (
        figures["tokens_per_1000_characters"],
        figures["tokens_per_1000_characters_before"],
    )
    assert after < before
    kept = (config.runs / "tokenizer/config.json").is_file()
    assert kept == figures["pays"]


def test_extended_rows_are_means() -> None:
    import copy

    from support.tiny_model import tiny_model

    tiny = tiny_model()
    model, words = copy.deepcopy(tiny.model), copy.deepcopy(tiny.tokenizer)
    ids = words.encode(" kernel", add_special_tokens=False)
    expected = model.get_input_embeddings().weight[ids].mean(dim=0)
    assert tokenizer.extend(model, words, ["kernel"]) == 1
    row = words.convert_tokens_to_ids(" kernel")
    assert model.get_input_embeddings().weight[row].tolist() == pytest.approx(expected.tolist())
    assert len(words.encode("a kernel", add_special_tokens=False)) < len(ids) + 1


def test_an_adapter_taught_with_other_prompts_is_not_merged(tmp_path: Path, data: Path) -> None:
    config = config_of(tmp_path, data, m1=None)
    adapter = tmp_path / "old"
    adapter.mkdir()
    (adapter / "manifest.json").write_text('{"prompts": {"summary": "summary-0"}}')
    with pytest.raises(SettingsError, match=r"other prompts: summary summary-0 \(here"):
        merge.run(config, [adapter], tmp_path / "merged")
    assert not (tmp_path / "merged").exists()


def test_adapters_of_other_seeds_become_one_whose_change_is_the_mean_of_theirs(
    tmp_path: Path, data: Path
) -> None:
    usual = config_of(tmp_path, data, m1=None)
    examples.build(data, usual.examples)
    assert usual.m2 is not None
    taught = []
    for seed, blocks in ((1, 1), (2, 1), (3, 2)):
        lora = usual.m2.lora.model_copy(update={"layers": blocks})
        stage = usual.m2.model_copy(update={"seed": seed, "max_steps": 2, "lora": lora})
        taught.append(
            m2.run(usual.model_copy(update={"m2": stage, "runs": tmp_path / f"seed{seed}"}))
        )
    one, other, of_both_blocks = taught
    figures = average.run([one, other], tmp_path / "mean", 8)
    assert figures["kept_least"] == pytest.approx(1.0), "two of rank 4 fit into rank 8"
    assert average.run([one, other], tmp_path / "narrow", 2)["kept"] < 0.99
    changes = [change_of(folder) for folder in (one, other, tmp_path / "mean")]
    for first, second, mean in zip(*(found.values() for found in changes), strict=True):
        assert (first - second).abs().max() > 1e-3, "they learned apart"
        assert (mean - (first + second) / 2).abs().max() < 1e-4
    merge.run(usual, [tmp_path / "mean"], tmp_path / "merged")
    told = json.loads((tmp_path / "mean/manifest.json").read_text(encoding="utf-8"))
    assert [run["config"]["m2"]["seed"] for run in told["of"]] == [1, 2]
    assert "- test (MIT)" in (tmp_path / "mean/README.md").read_text(encoding="utf-8")
    for wrong, said in (([one], "two adapters at least"), ([one, of_both_blocks], "the layers")):
        with pytest.raises(SettingsError, match=said):
            average.run(wrong, tmp_path / "none", 8)
    assert not (tmp_path / "none").exists()


def change_of(adapter: Path) -> dict[str, Any]:
    """What an adapter adds to each weight that it changes."""
    from safetensors.torch import load_file

    settings = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    found = load_file(adapter / "adapter_model.safetensors")
    scale = settings["lora_alpha"] / settings["r"]
    return {
        name: scale * found[name.replace("lora_A", "lora_B")].double() @ found[name].double()
        for name in sorted(found)
        if "lora_A" in name
    }


def test_rows_for_non_commercial_use_are_left_out_and_broken_ones_named(
    tmp_path: Path, data: Path
) -> None:
    rows = [article(1), {**article(2), "license": "CC-BY-NC-SA-4.0"}]
    write(data / "go_blog/train.jsonl.gz", rows)
    counts = examples.build(data, tmp_path / "out")
    assert counts["left out: licence"] == 1
    write(data / "go_blog/train.jsonl.gz", [{**article(1), "id": "g/1"}, {"title": "no text"}])
    with pytest.raises(BadArticle, match=r"go_blog/train\.jsonl\.gz:2"):
        examples.build(data, tmp_path / "out")


def test_an_answer_with_a_name_or_number_of_its_own_teaches_nothing(
    tmp_path: Path, data: Path
) -> None:
    told = {**article(1), "id": "g/1", "language": "en"}
    rows = [
        told | {"summary": "We propose what NASA uses to keep things in order"},
        told | {"summary": "We propose 7000 of them that keep things in order"},
        told | {"summary": "We propose parts of it that keep things in order"},
    ]
    write(data / "go_blog/train.jsonl.gz", rows)
    before = examples.build(data, tmp_path / "out")
    assert before["left out: not in the text"] == 2


def test_an_article_that_says_what_it_is_about_is_learned_from_without_that_sentence(
    tmp_path: Path, data: Path
) -> None:
    said = "In this guide you will learn how to close a channel of goroutines only once."
    content = f"Channels carry values between goroutines. {said} " + "Close it where you send. " * 9
    row = {"title": "Channels", "content": content, "source": "a", "license": "MIT"}
    kept = [f"r{n}" for n in range(40) if not examples.kept_apart(f"r{n}")]
    write(data / "cs_corpus/extra.jsonl.gz", [row | {"id": one} for one in kept])
    counts = examples.build(data, tmp_path / "out")
    assert counts["description.train"] + counts["description.valid"] == len(kept)
    first = (tmp_path / "out/description.train.jsonl").read_text(encoding="utf-8").splitlines()[0]
    made = json.loads(first)
    assert made["answer"] == "How to close a channel of goroutines only once."
    assert "In this guide" not in made["prompt"]["user"]
    assert "Channels carry values" in made["prompt"]["user"]


def test_an_article_in_both_parts_is_a_leak(tmp_path: Path, data: Path) -> None:
    write(data / "scitldr/dev.jsonl.gz", [article(1)])
    with pytest.raises(SettingsError, match="in train and valid"):
        examples.build(data, tmp_path / "out")


def test_nothing_to_learn_from_is_said(tmp_path: Path, data: Path) -> None:
    write(data / "scitldr/train.jsonl.gz", [])
    with pytest.raises(SettingsError, match="nothing to learn from"):
        examples.build(data, tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"learning_rat": 1}, "learning_rat: no such setting"),
        ({"m2": {"data": ["a"], "learning_rat": 1e-4}}, "did you mean learning_rate?"),
        ({"m2": {"data": ["a"], "learning_rate": -1}}, "greater than 0"),
        ({"m2": {"data": ["a"], "learning_rate": 0.5}}, "must not be above m1.learning_rate"),
        ({"m2": {"data": ["a"], "learning_rate": 1e-4, "validation": "a"}}, "the split leaks"),
    ],
)
def test_a_wrong_configuration_is_named(
    tmp_path: Path, data: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(SettingsError) as raised:
        config_of(tmp_path, data, **changes)
    assert said in str(raised.value)


def test_the_services_own_configuration_is_a_way_of_training() -> None:
    config = read(Path(__file__).parents[2] / "config/config.yaml", TrainingConfig)
    assert config.m1 is not None
    assert config.m2 is not None
    assert config.m2.learning_rate < config.m1.learning_rate
    assert config.m2.lora.rank == 16


@pytest.mark.parametrize(
    "name", ["embedded", "gpu", "trials/plain", "trials/m1", "trials/tokenizer"]
)
def test_the_configurations_beside_it_are_sound(name: str) -> None:
    read(Path(__file__).parents[2] / f"config/training/{name}.yaml", TrainingConfig)


def test_documents_are_packed_without_gaps() -> None:
    pieces = list(m1.packed([[1, 2, 3], [4, 5], [6]], end=0, size=4))
    assert pieces == [(1, 2, 3, 0), (4, 5, 0, 6)]
    assert list(m1.packed([[1]], end=0, size=4)) == [(1, 0)]


def test_what_is_said_of_one_article_becomes_one_judgement_beside_its_summary(
    tmp_path: Path, data: Path
) -> None:
    content = "Raft elects a leader by majority vote. gRPC carries the log. " * 9
    known = {"title": "Raft", "content": content, "source": "a", "license": "MIT"}
    apart = next(f"r{n}" for n in range(200) if examples.kept_apart(f"r{n}"))
    write(
        data / "go_blog/train.jsonl.gz",
        [known | {"id": apart, "summary": "Raft elects one leader."}],
    )
    write(data / "difficulty/train.jsonl.gz", [known | {"id": apart, "level": 5}])
    write(data / "keywords/train.jsonl.gz", [known | {"id": apart, "keywords": ["gRPC", "Paxos"]}])
    write(
        data / "prerequisites/train.jsonl.gz",
        [
            known | {"id": apart, "prerequisites": ["Basic gRPC."], "audience": "For engineers."},
            known | {"id": "nc", "prerequisites": ["Basic gRPC."], "license": "CC-BY-NC-4.0"},
        ],
    )
    counts = examples.build(data, tmp_path / "examples")
    assert counts["judgement.choose"] == 1
    assert "judgement.train" not in counts
    lines = (tmp_path / "examples/judgement.choose.jsonl").read_text(encoding="utf-8").splitlines()
    [row] = map(json.loads, lines)
    assert row["answer"] == (
        "Reason: For engineers.\nLevel: 5\nKeywords: gRPC\nPrerequisites: Basic gRPC"
    )
    assert row["version"] == examples.VERSIONS["judgement"]
    assert parse(row["answer"]).level == 5.0
    write(data / "keywords/train.jsonl.gz", [])
    with gzip.open(data / "keywords/train.jsonl.gz", "at", encoding="utf-8") as file:
        file.write("{broken\n")
    with pytest.raises(BadArticle, match=r"keywords/train.jsonl.gz:1"):
        examples.build(data, tmp_path / "examples")
