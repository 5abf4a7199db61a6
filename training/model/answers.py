"""Answers: what the tuned model itself would say to what it was taught, with what each is worth.

    python -m training answers --config config/training/prefer.yaml [--model runs/export]

For each example the four likeliest answers of a beam search and eight drawn ones, as the embedded
engine writes them. An answer is worth its ROUGE beside the person's, and more where the service
would keep it: where one passage of the text bears it out. `python -m training prefer` learns from
the order. An interrupted run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import random
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from core.article import Article
from core.chunks import cut
from core.engine.chat import Chat, ModelCard
from core.engine.writing import written
from core.errors import SettingsError
from core.judging.faithful import Evidence
from core.judging.headings import is_heading
from core.prompts import summary as summary_prompt
from core.settings import DigestSettings
from core.summarizing import BEAMS
from training.config import Preferring, TrainingConfig, read
from training.lines import read as read_rows
from training.sentences.headline import rouge
from training.sets.examples import prompt_of

log = logging.getLogger("training.model.answers")

DRAWN, _TOP_P = 8, 0.95
# Beside ROUGE (0-1): half for what one passage says, half for what would be shown.
_GROUNDED = 0.15
_TASKS = ("summary", "statement", "description")


def run(config: TrainingConfig, model: Path) -> Path:
    """The file of answers. Raises SettingsError without a model or without examples."""
    stage = config.prefer
    if stage is None:
        raise SettingsError(["the configuration has no part prefer"])
    out = config.examples / f"{stage.data[0]}.jsonl"
    out.parent.mkdir(parents=True, exist_ok=True)
    wanted = chosen(config.examples, stage)
    done = {row["group"] for _, row in read_rows(out)} if out.is_file() else set()
    left = [row for row in wanted if row["group"] not in done]
    asking = _Asking(model)
    with (
        ThreadPoolExecutor(os.cpu_count()) as pool,
        out.open("a", encoding="utf-8") as file,
    ):
        for number, row in enumerate(pool.map(asking.answered, left), 1):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            file.flush()
            if number % 20 == 0:
                log.info("%d of %d", number, len(left))
    return out


def chosen(folder: Path, stage: Preferring) -> list[dict[str, Any]]:
    """Examples of one sentence, at most so many of each file, mixed."""
    chance = random.Random(stage.seed)  # noqa: S311 - chooses rows, keeps no secrets
    found: list[dict[str, Any]] = []
    for name, most in stage.asked.items():
        rows = [row for _, row in read_rows(folder / f"{name}.jsonl") if row["task"] in _TASKS]
        chance.shuffle(rows)
        found += rows[:most]
    chance.shuffle(found)
    return found


class _Asking:
    """The exported model; a worker for each core, one thread each."""

    def __init__(self, folder: Path) -> None:
        import ctranslate2

        if not (folder / "model.bin").is_file():
            raise SettingsError([f"{folder}: no model there; run python -m training export first"])
        self._chat = Chat(folder, ModelCard.load(folder))
        self._model = ctranslate2.Generator(
            str(folder), compute_type="int8", inter_threads=os.cpu_count() or 1, intra_threads=1
        )

    def answered(self, row: dict[str, Any]) -> dict[str, Any]:
        tokens = self._chat.tokens(prompt_of(row))
        prompt = [[*tokens.system, *tokens.rest]]
        common = {
            "max_length": BEAMS.max_new_tokens,
            "end_token": list(self._chat.ends),
            "include_prompt_in_result": False,
        }
        beams = self._model.generate_batch(
            prompt,
            beam_size=BEAMS.beams,
            num_hypotheses=BEAMS.beams,
            length_penalty=BEAMS.length_penalty,
            no_repeat_ngram_size=BEAMS.no_repeat_ngram,
            **common,
        )
        drawn = self._model.generate_batch(
            prompt, num_hypotheses=DRAWN, sampling_topk=0, sampling_topp=_TOP_P, **common
        )
        ids = [*beams[0].sequences_ids, *drawn[0].sequences_ids]
        answers = list(dict.fromkeys(_sentences(written(one, self._chat, ()) for one in ids)))
        return row | {"answers": answers, "worth": worth(row, answers)}


def _sentences(replies: Iterator[str]) -> Iterator[str]:
    for reply in replies:
        yield from summary_prompt.parse(reply, "en")[:1]


def worth(row: dict[str, Any], answers: Sequence[str]) -> list[float]:
    """Of each answer: mean ROUGE-1/2/L F1 (0-1) beside the person's, and what being borne out adds."""
    title, body = shown_in(row["prompt"]["user"])
    evidence = Evidence(cut(Article(title=title, content=body, language="en"), 330))
    return [
        float(rouge([row["answer"]], text, "en").mean()) / 100 + _GROUNDED * _borne(evidence, text)
        for text in answers
    ]


def _borne(evidence: Evidence, text: str) -> float:
    found = evidence.support(text)
    kept = found.holds(together=DigestSettings().min_together) and not is_heading(text)
    return 0.5 * found.together + 0.5 * kept


def shown_in(prompt: str) -> tuple[str, str]:
    """Title and text of a prompt of `core/prompts/summary.py`."""
    head, _, rest = prompt.partition("\n\nText:\n")
    return head.removeprefix("Title: "), rest.rpartition("\n\n")[0]


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training answers", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/prefer.yaml"))
    parser.add_argument("--model", type=Path, help="the exported model (runs/export)")
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    config = read(asked.config, TrainingConfig)
    log.info("answers in %s", run(config, asked.model or config.runs / "export"))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
