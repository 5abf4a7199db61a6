"""Five questions a reader of a digest is likely to ask (blueprint B10): asked, read, and made.

The model is asked first; a question that has nothing to do with the digest is left out. What is
missing to five is made from the digest's own terms and difficulty, so there are always five.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BaseModel, Field

from core.article import Language
from core.language import words
from core.ports import Prompt
from core.prompts.shaped import Shape

VERSION = "questions-1"
COUNT = 5

_ASK: dict[Language, str] = {
    "en": 'Summary of "{title}":\n{summary}\n\nWrite five short questions a developer would ask after reading'
    " this summary, one on each line.",
    "ko": "“{title}” 요약:\n{summary}\n\n이 요약을 읽은 개발자가 물을 만한 짧은 질문 다섯 개를 한 줄에 하나씩 쓰십시오.",
}


def render(title: str, summary: str, language: Language) -> Prompt:
    return Prompt(user=_ASK[language].format(title=title, summary=summary))


_NUMBER = re.compile(r"^\s*(?:[-*•]|Q?\d{1,2}[.):])\s*")


class _Questions(BaseModel):
    questions: Annotated[
        list[str], Field(json_schema_extra={"minItems": COUNT, "maxItems": COUNT})
    ] = []


# What an engine that can keep to a schema is asked to write; lines are read as well.
SHAPE = Shape(_Questions)


def parse(reply: str, about: str, language: Language) -> list[str]:
    """Questions that share at least two content words with `about`; none twice, at most five."""
    known = set(words(about, language))
    found: list[str] = []
    shaped = SHAPE.read(reply)
    for line in shaped.questions if shaped else reply.splitlines():
        question = _NUMBER.sub("", line).strip().strip('"*')
        shared = known & set(words(question, language))
        fits = question.endswith("?") and 4 <= len(question.split()) <= 25 and len(shared) >= 2
        if fits and question.lower() not in (other.lower() for other in found):
            found.append(question)
    return found[:COUNT]


_MADE: dict[Language, tuple[str, ...]] = {
    "en": (
        "Why does {0} matter here?",
        "How do {0} and {1} depend on each other?",
        "What should I know about {1} first?",
        "Which limits and costs of {0} does the article name?",
        "What does this mean for {2} in practice?",
        "What could be done instead of {0}?",
    ),
    "ko": (
        "이 글에서 {0}이(가) 중요한 이유는 무엇입니까?",
        "{0}와(과) {1}의 관계는 무엇입니까?",
        "먼저 {1}에 대해 무엇을 알아야 합니까?",
        "글에서 말하는 {0}의 한계와 비용은 무엇입니까?",
        "{2}의 실무에서는 무엇이 달라집니까?",
        "{0} 대신 무엇을 할 수 있습니까?",
    ),
}


def fill(found: list[str], keywords: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Exactly five: the model's questions first, then made ones about the keywords."""
    names = list(keywords[:3]) or (["이 기술"] if language == "ko" else ["this technique"])
    while len(names) < 3:
        names.append(names[-1])
    made = (_with_particle(question.format(*names), names) for question in _MADE[language])
    questions = list(found)
    for question in made:
        if len(questions) < COUNT and question not in questions:
            questions.append(question)
    return tuple(questions[:COUNT])


def _with_particle(question: str, names: list[str]) -> str:
    """와(과), 이(가) by the last syllable: 과, 이 after a final consonant. Latin words keep both forms."""
    for name in names:
        last = ord(name[-1])
        if 0xAC00 <= last <= 0xD7A3:
            closed = (last - 0xAC00) % 28 != 0
            question = question.replace(f"{name}와(과)", name + ("과" if closed else "와"))
            question = question.replace(f"{name}이(가)", name + ("이" if closed else "가"))
    return question
