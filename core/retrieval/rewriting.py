"""One question, several wordings: as it was asked, without the words that only ask, with
abbreviations written out, and in the other language as far as terms are known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.article import Language
from core.language import detect, nouns, raw_words
from core.retrieval import bridge

_ASKING = re.compile(
    r"^(?:please\s+)?(?:(?:can|could) (?:you|somebody) (?:tell|explain|show) (?:me|us)?\s*"
    r"|tell me(?: about)?|explain(?: to me)?|what(?:'s| is| are| does| do)"
    r"|how (?:do|does|can|to|should)(?: (?:i|we|you|one))?"
    r"|why (?:do|does|is|are)|when (?:do|does|should)(?: (?:i|we|you))?"
    r"|where (?:do|does|can)(?: (?:i|we|you))?|which|is there|are there|do we have)\b\s*",
    re.I,
)
_KOREAN_ASKING = re.compile(
    r"\s*(?:(?:이|가|은|는|란|이란|라는 게|이라는 게)?\s*(?:무엇|뭐|뭔|어떤 것)(?:인가요|예요|이에요|죠|야|지|가요|입니까|인지)?"
    r"(?:\s*(?:알려|설명해)\s*(?:줘|주세요|줄래요?))?"
    r"|에\s*(?:대해서?|관해서?)?\s*(?:알려|설명해)\s*(?:줘|주세요|줄래요?)"
    r"|(?:을|를)?\s*(?:알려|설명해)\s*(?:줘|주세요|줄래요?))\s*[?.!]*\s*$"
)
_ABBREVIATIONS = {
    "k8s": "kubernetes", "db": "database", "js": "javascript", "ts": "typescript", "ci": "continuous integration",
    "cd": "continuous delivery", "tls": "transport layer security", "api": "application programming interface",
    "gc": "garbage collection", "llm": "large language model", "rag": "retrieval augmented generation",
    "rl": "reinforcement learning", "nlp": "natural language processing", "gan": "generative adversarial network",
    "rnn": "recurrent neural network", "cnn": "convolutional neural network", "vm": "virtual machine",
    "os": "operating system", "ssr": "server side rendering", "iac": "infrastructure as code",
    "sre": "site reliability engineering", "jwt": "json web token", "orm": "object relational mapping",
    "wal": "write ahead log", "cdn": "content delivery network", "dns": "domain name system",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Wording:
    """`weight`: how much its words count beside those of the question itself. `parts`: the
    translated terms of which a bridged one is made."""

    text: str
    language: Language
    weight: float
    bridged: bool = False
    parts: tuple[str, ...] = ()


def wordings(question: str, others: Sequence[str] = ()) -> list[Wording]:
    """The question first. `others`: wordings by somebody else, a model say."""
    flat = " ".join(question.split())
    language = detect(flat)
    found = [Wording(flat, language, 1.0)]
    bare = without_asking(flat, language)
    found.append(Wording(bare, language, 1.0))
    written = written_out(bare, language)
    if written:
        found.append(Wording(written, "en", 0.5))
    across = in_other_language(bare, language)
    if across:
        other: Language = "en" if language == "ko" else "ko"
        found.append(Wording(" ".join(across), other, 1.0, bridged=True, parts=across))
    found += [Wording(" ".join(o.split()), detect(o), 0.5) for o in others if o.strip()]
    return list({wording.text: wording for wording in reversed(found) if wording.text}.values())[
        ::-1
    ]


def without_asking(question: str, language: Language) -> str:
    if language == "ko":
        return _KOREAN_ASKING.sub("", question) or question
    return _ASKING.sub("", question).rstrip(" ?") or question


def written_out(question: str, language: Language) -> str:
    """The long forms of its abbreviations."""
    known = (_ABBREVIATIONS.get(word) for word in raw_words(question))
    return " ".join(dict.fromkeys(long for long in known if long))


def in_other_language(question: str, language: Language) -> tuple[str, ...]:
    """Its terms in the other language; Latin words of a Korean question are English already."""
    if language == "ko":
        runs = nouns(question)
        terms = [term for run in runs for term in bridge.translated(run, "ko")]
        latin = [word for run in runs for word in run if word.isascii()]
        return tuple(dict.fromkeys([*terms, *latin]))
    return tuple(bridge.translated(raw_words(question), "en"))
