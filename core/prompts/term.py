"""How a term of an article becomes a question for its explanation, and the reply one sentence."""

from __future__ import annotations

import re

from core.article import Language
from core.language import sentences
from core.ports import Prompt

VERSION = "term-1"

_ASK: dict[Language, str] = {
    "en": 'Text:\n{text}\n\nWhat does "{term}" mean in this text? Answer in one sentence.',
    "ko": "본문:\n{text}\n\n이 글에서 “{term}”은 무슨 뜻입니까? 한 문장으로 답하십시오.",
}

_SAYS: dict[Language, str] = {
    "en": r"^(?:the |an? )?{term}s?\b.{{0,40}}?\b(?:is|are|means?|refers?|stands?|describes?|provides?|allows?)\b",
    "ko": r"^.{{0,10}}{term}.{{0,40}}?(?:은|는|이란|란)\s",
}


def render(term: str, text: str, language: Language) -> Prompt:
    """`text`: the sentences of the article that hold the term."""
    return Prompt(user=_ASK[language].format(term=term, text=text))


def parse(reply: str, term: str, language: Language) -> str | None:
    """The first whole sentence if it says what the term is, otherwise None."""
    found = sentences(reply.strip(), language)
    if not found or not found[0].endswith((".", "다.", "요.")):
        return None
    first = found[0]
    pattern = _SAYS[language].format(term=re.escape(term))
    return first if re.search(pattern, first, re.I) and 5 <= len(first.split()) <= 45 else None
