"""How a part of an article becomes the question for a summary, and the reply becomes sentences.

Training and serving both import this module, so the model is asked in exactly the words it was
taught with. Bump VERSION when either side changes.
"""

from __future__ import annotations

import re
from typing import Literal

from core.article import Language
from core.judging.kinds import TextKind
from core.language import sentences
from core.ports import Prompt

VERSION = "summary-3"
# What is to be summarized: a text of some kind as a whole, or a section of an article.
Matter = TextKind | Literal["section"]

_SYSTEM: dict[Language, str] = {
    "en": "You summarize technical articles. Use only facts from the text.",
    "ko": "기술 글을 요약합니다. 글에 있는 사실만 씁니다.",
}
_ASK: dict[Language, str] = {
    "en": "Title: {title}\n\nText:\n{text}\n\nSummarize this {kind} in {count}.",
    "ko": "제목: {title}\n\n본문:\n{text}\n\n이 {kind} {count}으로 요약하십시오.",
}
_KIND: dict[Language, dict[Matter, str]] = {
    "en": {"paper": "paper", "proposal": "proposal", "article": "article", "section": "section"},
    "ko": {"paper": "논문을", "proposal": "제안서를", "article": "글을", "section": "부분을"},
}
_COUNT: dict[Language, tuple[str, str]] = {
    "en": ("one sentence", "{n} sentences"),
    "ko": ("한 문장", "{n}개의 문장"),
}


def render(
    title: str, text: str, language: Language, count: int = 1, *, kind: Matter = "article"
) -> Prompt:
    """The article's text is quoted as it is: special tokens in it are the engine's matter."""
    one, many = _COUNT[language]
    number = one if count == 1 else many.format(n=count)
    return Prompt(
        user=_ASK[language].format(
            title=title or "-", text=text, count=number, kind=_KIND[language][kind]
        ),
        system=_SYSTEM[language],
    )


# What models put before an answer, and what they write instead of one: a sentence about "the text"
# says that something is discussed, and not what.
_PREAMBLE = re.compile(
    r"^\s*(?:sure|certainly|okay|here(?:'s| is)[^:\n]{0,80}|(?:the )?(?:text|article|summary)[^:\n]{0,40}|요약)\s*[:!]\s*",
    re.I,
)
_BULLET = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_ABOUT_ITSELF = re.compile(
    r"^(?:the|this|our) (?:above |original |given )?(?:text|passage|summary|code (?:in|above)|author)\b"
    r"|\b(?:as an ai|language model|i cannot|i can't|i'm sorry|summarize the text|the (?:above )?text (?:above )?provides)\b",
    re.I,
)


def parse(reply: str, language: Language) -> list[str]:
    """Whole sentences of a reply, none twice; a last one that was cut off is left out."""
    text = _PREAMBLE.sub("", reply.strip())
    found: list[str] = []
    for line in text.splitlines():
        for sentence in sentences(_BULLET.sub("", line), language):
            if _usable(sentence) and sentence not in found:
                found.append(sentence)
    return found


def _usable(sentence: str) -> bool:
    ended = re.search(r"[.!?…。][\"'”’)\]]*$", sentence) is not None
    return ended and 4 <= len(sentence.split()) <= 60 and not _ABOUT_ITSELF.search(sentence)
