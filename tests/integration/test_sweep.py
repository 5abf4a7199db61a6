"""A sweep on a tiny model: variants side by side, one of them broken, one table, kept drafts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from support.papers import M2, article, papers, write
from support.tiny_model import tiny_model

from core.engine.chat import ModelCard
from core.engine.templating import Template
from core.errors import SettingsError
from core.judging.gist import rank
from core.ports import Generation, Prompt
from training.config import read
from training.model import sweep, variant
from training.sentences.gist import document_of
from training.sentences.headline import Drafts
from training.sets.examples import kept_apart

pytestmark = pytest.mark.slow


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return papers(tmp_path / "data")


def settings_of(tmp_path: Path, data: Path, **changes: Any) -> Path:
    from support.tiny_model import tiny_checkpoint

    made: dict[str, Any] = {
        "base": str(tiny_checkpoint()),
        "runs": str(tmp_path / "sweep"),
        "data": str(data),
        "examples": str(tmp_path / "examples"),
        "usual": {"m2": M2},
        "variants": {
            "reference": {},
            "judging": {"m2": {"data": ["judgement.train"], "lora": {"rank": 0}}},
            "broken": {"m2": {"data": ["nothing.train"]}},
        },
        "judging": {
            "held": ["scitldr/dev"],
            "unseen": ["scitldr/train"],
            "rows": 3,
            "best": 1,
            "batch": 32,
        },
        "together": 3,
    }
    path = tmp_path / "sweep.yaml"
    path.write_text(yaml.safe_dump(made | changes), encoding="utf-8")
    return path


def test_variants_are_compared_in_one_table_and_a_broken_one_harms_no_other(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    path = settings_of(tmp_path, data)
    wanted = read(path, variant.Sweep)
    sweep.prepare(wanted)
    # Those that go well in this process: each of its own takes seconds to begin.
    for name in ("reference", "judging"):
        variant.train_and_judge(wanted, name)
    before = (tmp_path / "sweep/reference/result.json").stat().st_mtime_ns
    # The broken one and the drafts of the best in processes; what is finished is not run again.
    found = sweep.run(path, wanted)
    assert (tmp_path / "sweep/reference/result.json").stat().st_mtime_ns == before
    lines = found.splitlines()
    assert lines[0].endswith("| scitldr/dev (3) |")
    assert {line.split(" |")[0] for line in lines[2:7]} == {
        "| title",
        "| first sentence",
        "| first three sentences",
        "| reference",
        "| judging",
    }
    assert lines[-1] == "Not finished: broken."
    assert "nothing.train.jsonl" in (tmp_path / "sweep/broken/log.txt").read_text()
    assert (tmp_path / "sweep/judging/m2/model.safetensors").is_file()
    judged = (tmp_path / "sweep/judging/judgements.jsonl").read_text().splitlines()
    assert {json.loads(line)["set"] for line in judged} == {"difficulty/train"}
    # as `headline` reads them: of the held articles, the others of the part, and the unseen
    results = json.loads((tmp_path / "sweep/results.json").read_text())
    kept = tmp_path / "sweep" / results[0]["name"] / "drafts.jsonl"
    known = dict(json.loads(line) for line in kept.read_text().splitlines())
    apart = {f"t/{n}" for n in range(30) if kept_apart(f"t/{n}")}
    assert set(known) == apart | {f"t/{n}" for n in range(100, 105)}
    document = document_of(article(100))
    assert Drafts(None, kept).of("t/100", document, rank(document)) == known["t/100"]


def page(number: int) -> dict[str, Any]:
    return article(number) | {
        "language": "ko",
        "title": f"큐 {number}",
        "content": f"큐 {number}번은 순서를 지킵니다. 먼저 들어온 것이 먼저 나갑니다. 다른 자료 구조는 그렇지 않습니다.",
        "summary": f"이 글은 큐 {number}번이 순서를 지키는 방법을 설명합니다. 예제가 있습니다.",
    }


def test_a_variant_may_start_from_a_base_of_its_own_and_learn_korean(
    tmp_path: Path, data: Path
) -> None:
    from support.tiny_model import tiny_checkpoint

    write(data / "react_ko/train.jsonl.gz", [page(n) for n in range(8)])
    write(data / "react_ko/valid.jsonl.gz", [page(n) for n in range(50, 52)])
    variants = {"korean": {"base": str(tiny_checkpoint()), "m2": {"data": ["korean.train"]}}}
    held = {"held": ["react_ko/valid", "scitldr/dev"], "rows": 2, "batch": 8}
    path = settings_of(tmp_path, data, base="nowhere", variants=variants, judging=held)
    wanted = read(path, variant.Sweep)
    assert wanted.variant("korean").base == str(tiny_checkpoint())
    sweep.prepare(wanted)
    lines = (tmp_path / "examples/korean.train.jsonl").read_text(encoding="utf-8").splitlines()
    made = [json.loads(line) for line in lines]
    assert len(made) == 8
    assert made[0]["prompt"]["user"].endswith("이 글을 한 문장으로 요약하십시오.")
    assert made[0]["answer"] == "이 글은 큐 0번이 순서를 지키는 방법을 설명합니다."
    found = variant.train_and_judge(wanted, "korean")
    assert found["rouge"]["react_ko/valid"]["articles"] == 2
    # the whole of the page stands for its first three sentences
    assert found["rouge"]["react_ko/valid"]["lead"] > found["rouge"]["react_ko/valid"]["title"]
    table = sweep.table([found], [])
    assert "| react_ko/valid (2) | scitldr/dev (2) |" in table


def test_a_korean_answer_may_repeat_a_syllable_and_takes_more_tokens() -> None:
    korean, english = variant.BEAMS_OF["ko"], variant.BEAMS_OF["en"]
    assert korean.no_repeat_ngram > english.no_repeat_ngram
    assert korean.max_new_tokens > english.max_new_tokens
    assert korean.beams == english.beams


def test_a_variant_that_takes_too_long_is_ended(tmp_path: Path, data: Path) -> None:
    path = settings_of(tmp_path, data, seconds=0.001)
    found = sweep.run(path, read(path, variant.Sweep), ["reference"])
    assert found == "No variant was finished: reference.\n"


def test_a_wrong_variant_is_named_before_anything_runs(tmp_path: Path, data: Path) -> None:
    path = settings_of(tmp_path, data, variants={"fast": {"m2": {"learning_rate": 2}}})
    with pytest.raises(SettingsError, match=r"variant fast: m2\.learning_rate: .*less than"):
        read(path, variant.Sweep)


def test_the_sweeps_beside_it_are_sound() -> None:
    languages = Path(__file__).parents[2] / "config/training/sweep_languages.yaml"
    bases = {
        n: read(languages, variant.Sweep).variant(n).base for n in ("gemma", "embedded-korean")
    }
    assert bases == {"gemma": "runs/gemma", "embedded-korean": "embedded"}
    found = read(Path(__file__).parents[2] / "config/training/sweep.yaml", variant.Sweep)
    assert found.variant("reference").m2 == read_embedded().m2.model_copy(
        update={"save_steps": 10000}
    )
    assert found.variant("all-words-200").examples.name == "examples-200"


def read_embedded() -> Any:
    from training.config import TrainingConfig

    return read(Path(__file__).parents[2] / "config/training/embedded.yaml", TrainingConfig)


def test_a_batch_answers_as_each_prompt_alone() -> None:
    from training.model.drafting import answers

    tiny = tiny_model()
    template = Template(tiny.tokenizer, ModelCard.load(tiny.folder), tiny.folder)
    prompts = [Prompt(text) for text in ("What is a queue?", "What is a stack?", "Sing!")]
    for options in (
        Generation(max_new_tokens=24),
        Generation(max_new_tokens=24, repetition_penalty=1.1, no_repeat_ngram=3),
        Generation(max_new_tokens=24, beams=3, no_repeat_ngram=3),
    ):
        together = answers(tiny.model, template, prompts, options, batch=2)
        alone = [answers(tiny.model, template, [one], options)[0] for one in prompts]
        assert together == alone
        assert all(len(one) == options.beams for one in together)
    plain = answers(tiny.model, template, prompts[:1], Generation(max_new_tokens=60))
    assert plain == [("A queue keeps things in order. The first one in is the first one out.",)]


def test_no_run_of_tokens_comes_twice_but_the_prompts_runs_may() -> None:
    import torch

    from training.model.drafting import NoRepeat

    ids = torch.tensor([[5, 6, 7, 1, 2, 3, 1, 2], [1, 2, 3, 4, 5, 6, 1, 2]])
    found = NoRepeat(3, begin=3)(ids, torch.zeros(2, 9))
    assert np.argwhere(np.isinf(found.numpy())).tolist() == [[0, 3]]
