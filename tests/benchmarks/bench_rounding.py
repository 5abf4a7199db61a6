"""What 8 bits cost the embedded model, as it is prepared and without turning its states first.

    python tests/benchmarks/bench_rounding.py [--data ../shared/data] [--rows 300]
        [--adapter FOLDER]

Prints the perplexity of what people wrote of the first papers of SciTLDR dev, the service's prompt
given, by CTranslate2 with 8 bits and with floats. One process, one thread: ten minutes for 618
papers. With CT2_USE_MKL=0 ONEDNN_MAX_CPU_ISA=AVX2 it calculates like a processor without VNNI.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import ctranslate2
import numpy as np
from tokenizers import Tokenizer

from core.engine.chat import Chat, ModelCard
from core.engine.converting import convert
from core.engine.merging import merged
from core.engine.prepared import SHIPPED
from training.config import TrainingConfig
from training.model.bases import open_base, plain_folder
from training.model.questions import Question, summaries

SET = "scitldr/dev"
TOGETHER = 16
# Folder, kind of numbers, what it is called.
KINDS = (
    ("plain", "int8", "8 bits, not turned"),
    ("turned", "int8", "8 bits, turned (as prepared)"),
    ("turned", "float32", "32 bits"),
)


def made(base: str, adapter: Path, target: Path, *, turned: bool) -> Path:
    model, template = open_base(base)
    convert(merged(model, adapter), template.tokenizer, target, turned=turned)
    template.card.save(target)
    return target


def perplexity(folder: Path, kind: str, asked: Sequence[Question]) -> float:
    """Of the first human summary of each."""
    chat = Chat(folder, ModelCard.load(folder))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    engine = ctranslate2.Generator(str(folder), compute_type=kind, intra_threads=1)
    rows, answers = [], []
    for one in asked:
        tokens = chat.tokens(one.prompt)
        answer = tokenizer.encode(one.answers[0], add_special_tokens=False).tokens
        rows.append([*tokens.system, *tokens.rest, *answer])
        answers.append(len(answer))
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    found: list[float] = []
    for begin in range(0, len(order), TOGETHER):
        now = order[begin : begin + TOGETHER]
        for i, scored in zip(now, engine.score_batch([rows[i] for i in now]), strict=True):
            found += scored.log_probs[-answers[i] :]
    return float(np.exp(-np.mean(found)))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--rows", type=int, default=300)
    parser.add_argument("--adapter", type=Path, default=SHIPPED)
    asked = parser.parse_args()
    held = summaries(asked.data, [SET], [], asked.rows)
    papers = [one for one in held if one.part == "held"]
    print(f"{len(papers)} papers\n\n| | perplexity of the summaries |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as place:
        base = plain_folder(TrainingConfig(runs=Path(place)))
        for name in ("plain", "turned"):
            made(base, asked.adapter, Path(place, name), turned=name == "turned")
        for name, kind, called in KINDS:
            read = perplexity(Path(place, name), kind, papers)
            print(f"| {called} | {read:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
