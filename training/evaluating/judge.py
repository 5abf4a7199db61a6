"""The LLM judge beside ROUGE: summaries scored 1 to 5 by the rubric of `core/prompts/judge.py`."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from core.errors import EngineFailed
from core.ports import Engine, Generation
from core.prompts import judge as judge_prompt
from training.evaluating.items import Item
from training.evaluating.scores import mean_interval, spearman

log = logging.getLogger("training.evaluate")
_OPTIONS = Generation(max_new_tokens=120, repetition_penalty=1.05)


async def judged(
    engine: Engine, pairs: Iterable[tuple[Item, str]], rouge: Mapping[str, float]
) -> dict[str, Any]:
    """Mean score with its interval, how often the judge gave none, and its rank correlation with
    the rows' `rouge` (by id). The judge sees title, text and summary."""
    scores: list[float] = []
    beside: list[float] = []
    reasons: list[dict[str, Any]] = []
    unread = 0
    for item, summary in pairs:
        verdict = await _verdict(engine, item, summary)
        if verdict is None:
            unread += 1
            continue
        scores.append(float(verdict.score))
        beside.append(rouge.get(item.id, float("nan")))
        reasons.append({"id": item.id, "score": verdict.score, "reason": verdict.reason})
    return {
        "judge": engine.name,
        "prompt": judge_prompt.VERSION,
        "score": mean_interval(scores),
        "scores": {str(score): n for score, n in sorted(Counter(map(int, scores)).items())},
        "without a score": unread,
        "Spearman with ROUGE": spearman(scores, beside),
        "reasons": reasons,
    }


async def _verdict(engine: Engine, item: Item, summary: str) -> judge_prompt.Verdict | None:
    shown = item.shown
    text = shown.content or "\n".join(f"{who}: {said}" for who, said in shown.dialogue)
    prompt = judge_prompt.render(shown.title, text, summary, shown.language)
    try:
        return judge_prompt.parse(await engine.generate(prompt, _OPTIONS))
    except EngineFailed as error:
        log.warning("%s: the judge did not answer (%s)", item.id, error)
        return None
