"""The rubric's prompt, how a judge's reply is read, and what is counted of several."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest

from core.article import Language
from core.ports import Generation, Prompt
from core.prompts import judge as judge_prompt
from training.evaluating.items import Item, Shown
from training.evaluating.judge import judged


@pytest.mark.parametrize(
    ("reply", "score"),
    [
        ("Reason: It leaves the cost out.\nScore: 4", 4),
        ("It leaves the cost out. Score: 4/5", 4),
        ("이유: 비용이 빠졌습니다.\n점수: 3", 3),
        ("Score: 4", None),  # no reason before it
        ("Reason: good", None),
        ("Reason: it is a ten.\nScore: 10", None),
        ("Reason: between.\nScore: 3.5", None),
        ("", None),
    ],
)
def test_a_score_counts_with_a_reason_before_it(reply: str, score: int | None) -> None:
    found = judge_prompt.parse(reply)
    assert (None if found is None else found.score) == score


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_judge_sees_article_and_summary_and_begins_with_the_reason(language: Language) -> None:
    prompt = judge_prompt.render("Pools", "lorem " * 2000, "They\nhelp.", language)
    assert "They help." in prompt.user
    assert prompt.user.count("lorem") == 700
    assert prompt.opening in ("Reason:", "이유:")
    assert prompt.user.index(prompt.opening) < len(prompt.user)


class Judge:
    """Scores by what it is shown: 5 for "good", 1 for "bad", nothing for anything else."""

    name = "judge"
    context_tokens = 4096
    writes: frozenset[Language] = frozenset({"en"})

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        for word, score in (("good", 5), ("bad", 1), ("fair", 3)):
            if f"Summary:\n{word}" in prompt.user:
                return f"Reason: {word}.\nScore: {score}"
        return "I cannot say."

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        yield await self.generate(prompt, options)

    async def close(self) -> None: ...


async def test_the_judge_s_agreement_with_rouge_is_told() -> None:
    said = {"a": "good", "b": "fair", "c": "bad", "d": "odd"}
    pairs = [(Item(row, Shown("T", "text", "en")), text) for row, text in said.items()]
    found = await judged(Judge(), pairs, {"a": 0.9, "b": 0.5, "c": 0.1, "d": 0.2})
    assert found["score"]["mean"] == 3.0
    assert found["scores"] == {"1": 1, "3": 1, "5": 1}
    assert found["without a score"] == 1
    assert found["Spearman with ROUGE"] == pytest.approx(1.0)
    assert found["reasons"][0]["reason"] == "good."
