"""What a language model loses by quantisation: perplexity, ROUGE-L, bytes of linear layers.

The same rows, the same prompts and the same tokens for both models, so the numbers differ only
by the weights. Beside ROUGE-L stands what copying the title would score.
"""

from __future__ import annotations

import json
import math
import random
import struct
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.article import Article, Language
from core.chunks import cut
from core.engine.templating import Template
from core.errors import BadArticle, SettingsError
from core.judging.gist import rank, shown
from core.judging.kinds import kind_of
from core.ports import Generation, Prompt
from core.prompts import summary as summary_prompt
from training.lines import read
from training.reporting import interval

_LINEAR = (".qweight", ".qzeros", ".scales", ".g_idx")
_BITS = {"F64": 64, "F32": 32, "I32": 32, "F16": 16, "BF16": 16, "I64": 64, "I16": 16, "I8": 8}
_UNQUANTISED = 16  # bits that a plain weight counts with, also where it is kept in 32


@dataclass(frozen=True, slots=True)
class Example:
    """An article's prompt with its answer, and every answer that counts as right."""

    id: str
    title: str
    language: Language
    prompt: Prompt
    answer: str
    answers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """Perplexity of the answers (the prompt given) and of the whole text; ROUGE-L F1 in per cent,
    None where nothing was answered; seconds for all of it. `scores`: ROUGE-L of each answer."""

    answer_perplexity: float
    text_perplexity: float
    rouge_l: float | None
    title_rouge_l: float | None
    seconds: float
    scores: tuple[float, ...] = field(default=(), repr=False)

    @property
    def figures(self) -> dict[str, float | None]:
        """All but the single scores."""
        return {name: value for name, value in asdict(self).items() if name != "scores"}


def read_rows(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """Rows with a content. Raises BadArticle with file and line, SettingsError for a file that
    cannot be read."""
    for path in paths:
        for number, row in read(path):
            if not str(row.get("content", "")).strip():
                raise BadArticle(f"{path}:{number}", "a row needs a content")
            yield row


def examples(
    paths: Sequence[Path], count: int, seed: int, words: int | None = None
) -> list[Example]:
    """So many rows with a summary, the same number from each file as far as it goes, chosen by
    the seed; each shows so many words. Raises SettingsError where there are none."""
    chance = random.Random(seed)  # noqa: S311 - chooses rows, keeps no secrets
    found: list[Example] = []
    for position, path in enumerate(paths):
        rows = [row for row in read_rows([path]) if row.get("summary")]
        chance.shuffle(rows)
        share = math.ceil((count - len(found)) / (len(paths) - position))
        found += [example(row, words) for row in rows[:share]]
    if not found:
        named = ", ".join(str(path) for path in paths)
        raise SettingsError([f"no row with a summary in {named}"])
    chance.shuffle(found)
    return found


def example(row: dict[str, Any], words: int | None = None) -> Example:
    """With the prompt that the service would ask: the best sentences of the article. `words`: so
    many first words instead, for whoever needs prompts of a length."""
    language: Language = "ko" if row.get("language") == "ko" else "en"
    title = str(row.get("title") or "")
    content = str(row["content"])
    document = cut(Article(content=content, title=title or None, language=language), 330)
    begun = " ".join(content.split()[:words])
    text = begun if words else shown(document, rank(document)) or begun
    answers = tuple(row.get("summaries") or [row["summary"]])
    prompt = summary_prompt.render(title, text, language, 1, kind=kind_of(document))
    return Example(str(row.get("id", "")), title, language, prompt, str(row["summary"]), answers)


def encoded(
    template: Template, one: Example, max_tokens: int, answer: str | None = None
) -> tuple[list[int], int]:
    """Tokens of prompt and answer, and where the answer begins. The prompt keeps its beginning
    and its last words, which are the question."""
    prompt = template.ids(one.prompt)
    written = [] if answer is None else template.tokenizer.encode(answer, add_special_tokens=False)
    room = max(16, max_tokens - len(written))
    if len(prompt) > room:
        tail = min(48, room // 2)
        prompt = prompt[: room - tail] + prompt[-tail:]
    return prompt + written, len(prompt)


def perplexities(
    model: Any, template: Template, rows: Sequence[Example], max_tokens: int, batch: int = 1
) -> tuple[float, float]:
    """Of the answers, and of prompts and answers together. `batch`: so many at once."""
    import torch
    from torch.nn.functional import cross_entropy

    whole = [encoded(template, one, max_tokens, one.answer) for one in rows]
    whole.sort(key=lambda one: len(one[0]))
    answer_loss, answer_count, text_loss, text_count = 0.0, 0, 0.0, 0
    for start in range(0, len(whole), batch):
        some = whole[start : start + batch]
        longest = len(some[-1][0])
        # what follows a text is not looked at by it, and not counted
        padded = [ids + [0] * (longest - len(ids)) for ids, _ in some]
        tensor = torch.tensor(padded, device=model.device)
        with torch.inference_mode():
            logits = model(input_ids=tensor, use_cache=False).logits[:, :-1].float()
        losses = cross_entropy(logits.transpose(1, 2), tensor[:, 1:], reduction="none")
        for found, (ids, begin) in zip(losses, some, strict=True):
            answer_loss += float(found[begin - 1 : len(ids) - 1].sum())
            answer_count += len(ids) - begin
            text_loss += float(found[: len(ids) - 1].sum())
            text_count += len(ids) - 1
    return math.exp(answer_loss / max(1, answer_count)), math.exp(text_loss / max(1, text_count))


def answered(
    model: Any, template: Template, rows: Sequence[Example], new_tokens: int, batch: int = 1
) -> list[str]:
    """Greedy answers, read as the service reads them: one sentence."""
    from training.model.drafting import answers

    options = Generation(max_new_tokens=new_tokens)
    replies = answers(model, template, [one.prompt for one in rows], options, batch)
    parsed = [
        summary_prompt.parse(reply, one.language)
        for (reply, *_), one in zip(replies, rows, strict=True)
    ]
    return [
        found[0] if found else reply for found, (reply, *_) in zip(parsed, replies, strict=True)
    ]


def rouge_l(replies: Sequence[str], rows: Sequence[Example]) -> tuple[float, ...]:
    """F1 in per cent with the best reference of each row, stemmed (rouge-score)."""
    from rouge_score.rouge_scorer import RougeScorer

    scorer = RougeScorer(["rougeL"], use_stemmer=True)
    return tuple(
        100 * max(scorer.score(answer, reply)["rougeL"].fmeasure for answer in one.answers)
        for reply, one in zip(replies, rows, strict=True)
    )


def lost_between(before: Sequence[float], after: Sequence[float]) -> tuple[float, float]:
    """Bounds (2.5 and 97.5 of 100) of the loss in per cent, by a bootstrap over the answers.
    Shapes (n,) and (n,), the same articles in both."""
    pairs = np.array([before, after])

    def lost(draw: NDArray[np.int64]) -> float:
        first, then = pairs[:, draw].mean(axis=1)
        return float(100 * (1 - then / max(first, 1e-9)))

    low, high = interval(lost, len(before), draws=4000, seed=17)
    return round(low, 2), round(high, 2)


def measure(
    model: Any,
    template: Template,
    rows: Sequence[Example],
    *,
    max_tokens: int,
    answers: int,
    new_tokens: int,
    batch: int = 1,
) -> Measured:
    begin = time.perf_counter()
    of_answers, of_text = perplexities(model, template, rows, max_tokens, batch)
    scored = list(rows[:answers])
    scores: tuple[float, ...] = ()
    score = title = None
    if scored:
        scores = rouge_l(answered(model, template, scored, new_tokens, batch), scored)
        score = fmean(scores)
        title = fmean(rouge_l([one.title for one in scored], scored))
    return Measured(of_answers, of_text, score, title, time.perf_counter() - begin, scores)


def linear_bytes(folder: Path) -> int:
    """Bytes of the linear layers within the blocks in the safetensors files; plain weights count
    as 16-bit."""
    total = 0
    for path in sorted(folder.glob("*.safetensors")):
        for name, tensor in _header(path).items():
            matrix = len(tensor["shape"]) == 2 and name.endswith(".weight")
            if ".layers." in name and (matrix or name.endswith(_LINEAR)):
                bits = _UNQUANTISED if matrix else _BITS[tensor["dtype"]]
                total += math.prod(tensor["shape"]) * bits // 8
    return total


def _header(path: Path) -> dict[str, Any]:
    """Names, types and shapes; the file begins with their length and a JSON text."""
    with path.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(8))
        read: dict[str, Any] = json.loads(file.read(size))
    read.pop("__metadata__", None)
    return read
