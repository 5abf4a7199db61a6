"""Preference tuning on a tiny model: its own answers, what they are worth, and the order learned."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from support.tiny_model import tiny_checkpoint

from core.errors import BadArticle, SettingsError
from training.config import TrainingConfig
from training.model import answers, export, m2, merge, prefer
from training.model.bases import open_base
from training.sets.examples import VERSIONS

pytestmark = pytest.mark.slow

TEXT = "A pool keeps connections open. It hands them to requests. Opening one costs a handshake."


def example(number: int) -> dict[str, Any]:
    return {
        "task": "summary",
        "language": "en",
        "source": "test",
        "license": "MIT",
        "group": f"t/{number}",
        "version": VERSIONS["summary"],
        "prompt": {
            "system": "You are brief.",
            "user": f"Title: Pool {number}\n\nText:\n{TEXT}\n\nSummarize this article in one sentence.",
            "opening": "",
        },
        "answer": "A pool keeps connections open and hands them to requests.",
    }


def answered(number: int) -> dict[str, Any]:
    told = [
        "A pool keeps connections open.",
        "It hands a pool to a handshake.",
        "A cat sleeps on the open shelf.",
    ]
    return example(number) | {"answers": told, "worth": [0.8, 0.3, 0.05]}


def write(path: Path, rows: list[dict[str, Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def a_config(tmp_path: Path) -> TrainingConfig:
    stage = {
        "data": ["summary.train"],
        "max_steps": 2,
        "batch_size": 2,
        "max_length": 1024,
        "learning_rate": 0.003,
        "lora": {"rank": 4, "alpha": 8},
    }
    preferring = stage | {
        "data": ["answers.train"],
        "asked": {"summary.train": 6},
        "batch_size": 1,
        "accumulate": 2,
        "max_steps": 8,
    }
    return TrainingConfig.model_validate(
        {
            "base": str(tiny_checkpoint()),
            "runs": str(tmp_path / "runs"),
            "examples": str(tmp_path / "examples"),
            "m2": stage,
            "prefer": preferring,
        }
    )


def test_the_likelihood_of_each_answer_is_that_of_reading_it_alone(tmp_path: Path) -> None:
    model, template = open_base(str(tiny_checkpoint()))
    write(tmp_path / "answers.jsonl", [answered(1)])
    (group,) = prefer.load(template, tmp_path / "answers.jsonl", 1024, "")
    with torch.no_grad():
        found = prefer.likelihoods(model, prefer.collate([group]))
        for tokens, told in zip(group.answers, found, strict=True):
            whole = torch.tensor([[*group.ids, *tokens]])
            logits = model(input_ids=whole).logits[0, len(group.ids) - 1 : -1].log_softmax(dim=-1)
            alone = logits.gather(1, torch.tensor(tokens)[:, None]).mean()
            assert float(told) == pytest.approx(float(alone), abs=1e-4)


def test_what_is_worth_more_becomes_likelier_and_a_model_card_says_from_what(
    tmp_path: Path,
) -> None:
    config = a_config(tmp_path)
    write(config.examples / "summary.train.jsonl", [example(n) for n in range(6)])
    write(config.examples / "answers.train.jsonl", [answered(n) for n in range(50)])
    m2.run(config)
    made = prefer.run(config)
    figures = json.loads((made / "manifest.json").read_text(encoding="utf-8"))["figures"]
    assert figures["valid_loss"] < figures["valid_loss_before"]
    assert "test (MIT): 50" in (made / "README.md").read_text(encoding="utf-8")
    assert (made / "adapter_model.safetensors").is_file()


def test_the_best_of_its_own_may_be_learned_as_an_answer(tmp_path: Path) -> None:
    model, template = open_base(str(tiny_checkpoint()))
    stage = a_config(tmp_path).prefer
    assert stage is not None
    write(tmp_path / "answers.jsonl", [answered(1)])
    (group,) = prefer.load(template, tmp_path / "answers.jsonl", 1024, "")
    inputs = prefer.collate([group])
    only = stage.model_copy(update={"person": 0.0, "best": 1.0, "order": 0.0})
    with torch.no_grad():
        told = prefer.likelihoods(model, inputs)
        assert float(prefer.loss(model, inputs, only)) == pytest.approx(-float(told[1]), abs=1e-5)
        assert float(prefer.loss(model, inputs, stage)) > -float(told[0])


def test_a_model_answers_what_it_was_taught_and_goes_on_where_it_was(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    write(config.examples / "summary.train.jsonl", [example(n) for n in range(6)])
    m2.run(config)
    exported = export.run(
        merge.run(config, [config.runs / "m2"], config.runs / "merged"), config.runs / "export"
    )
    path = answers.run(config, exported)
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert {row["group"] for row in rows} == {f"t/{n}" for n in range(6)}
    assert all(len(row["answers"]) == len(row["worth"]) for row in rows)
    path.write_text(json.dumps(rows[0]) + "\n", encoding="utf-8")
    answers.run(config, exported)
    assert len(path.read_text(encoding="utf-8").splitlines()) == 6


def test_an_answer_is_worth_more_where_the_text_bears_it_out() -> None:
    told = [
        "A pool keeps connections open and hands them to requests.",
        "A pool hands a handshake to opening requests.",
        "A cat sleeps on the open shelf.",
    ]
    first, second, third = answers.worth(example(1), told)
    assert first > second > third
    heading = "How to keep connections open and hand them to requests."
    plain = heading.replace("How to k", "K")
    assert answers.worth(example(1), [heading])[0] < answers.worth(example(1), [plain])[0]


def test_what_is_held_back_is_not_learned(tmp_path: Path) -> None:
    _, template = open_base(str(tiny_checkpoint()))
    write(tmp_path / "answers.jsonl", [answered(n) for n in range(50)])
    groups = prefer.load(template, tmp_path / "answers.jsonl", 1024, "summary")
    learned, held = prefer.parted(groups)
    assert (len(learned), len(held)) == (96, 2), "each is learned two times"
    assert not {one.ids for one in learned} & {one.ids for one in held}


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    config = a_config(tmp_path)
    write(config.examples / "summary.train.jsonl", [example(1)])
    with pytest.raises(SettingsError, match="run python -m training export first"):
        answers.run(config, tmp_path)
    with pytest.raises(SettingsError, match="no part prefer"):
        prefer.run(config.model_copy(update={"prefer": None}))
    write(config.examples / "answers.train.jsonl", [example(1)])
    _, template = open_base(str(tiny_checkpoint()))
    with pytest.raises(BadArticle, match=r"answers\.train\.jsonl:1.*a field is missing"):
        prefer.load(template, config.examples / "answers.train.jsonl", 1024, "")
