"""What every surface says of explanations, answers and searches, in Korean and English."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bot import replies
from bot.replies import pick, plain
from bot.words import Both
from core.article import Language
from core.explaining import Easiest
from core.judging.explanations import Said
from core.library import Hit

WORDS: Mapping[str, Both] = {
    "unknown_term": (
        "‘{term}’은(는) 읽은 글에도 용어집에도 없습니다.",
        "“{term}” is in no article read here, nor in the glossary.",
    ),
    "near": ("혹시 이런 용어인가요?", "Did you mean one of these?"),
    "also_called": ("다른 이름: {names}", "also called {names}"),
    "senses": ("다른 뜻", "Other meanings"),
    "related": ("관련 용어", "Related terms"),
    "easiest": ("가장 쉬운 글", "The easiest article about it"),
    "level": ("난이도 {score:.1f} · {label}", "difficulty {score:.1f} · {label}"),
    "from.article": ("글에서", "from an article"),
    "from.glossary": ("용어집에서", "from the glossary"),
    "from.model": (
        "모델의 설명(글과 대조함)",
        "the model's words, checked against the article",
    ),
    "used": (
        "정의한 글은 없고, 이렇게 쓰입니다",
        "no article says what it is; this is how it is used",
    ),
    "not_read": (
        "그 내용은 아직 읽은 글에 없습니다.",
        "I haven't read about that.",
    ),
    "closest": ("읽은 글 가운데 그나마 가까운 글", "The closest that I have read"),
    "checked": (
        "문장마다 인용한 글과 대조했습니다. 채널에서 읽은 글만 찾아봅니다.",
        "Each sentence is checked against the article it cites; only articles read here are searched.",
    ),
    "written": ("모델이 쓰고 글과 대조함", "written by the model, checked against the articles"),
    "own_words": ("글의 문장 그대로", "the articles' own words"),
    "sources": ("출처", "Sources"),
    "which_term": (
        "어떤 용어인가요? 예: {command} 멱등성",
        "Which term? For example: {command} idempotency",
    ),
    "which_question": (
        "무엇이 궁금하신가요? 예: {command} 커넥션 풀은 왜 쓰나요?",
        "What would you like to know? For example: {command} why use a connection pool?",
    ),
    "found": ("‘{query}’ 검색 결과", "Found for “{query}”"),
    "newest": ("최근에 읽은 글", "The newest articles"),
    "found_nothing": (
        "‘{query}’에 맞는 글을 찾지 못했습니다. 다른 낱말로 찾거나 조건을 줄여 보세요.",
        "No article read here fits “{query}”; other words or fewer filters may help.",
    ),
    "no_such_filter": (
        "알 수 없는 조건입니다: {filters}. 이렇게 적어 주세요: level:beginner lang:ko "
        "site:example.com since:7d",
        "I do not understand {filters}; filters look like this: level:beginner lang:ko "
        "site:example.com since:7d",
    ),
    "limit.questions": (
        "한 시간에 물을 수 있는 질문 수를 넘었습니다. 잠시 후 다시 물어봐 주세요.",
        "That is more questions than I answer for one person in an hour; please ask again later.",
    ),
    "follow_up": (
        "이어서 물으시려면 이 스레드에서 저를 멘션해 주세요.",
        "To ask on, mention me in this thread.",
    ),
    "untitled": ("제목 없는 글", "an article without a title"),
}


def say(key: str, ui: Language, **values: object) -> str:
    """A word or line; KeyError for one that nobody wrote."""
    return pick(WORDS[key], ui).format(**values)


def origin(said: Said, ui: Language) -> str:
    """Who says it, without the article's title."""
    if said.kind == "use":
        return say("used", ui)
    named = say(f"from.{said.origin}", ui)
    return f"{named}, {plain(said.credit)}" if said.credit else named


def level(found: Easiest | Hit, ui: Language) -> str:
    return say("level", ui, score=found.difficulty, label=replies.label(found.label, ui))


def title(name: str | None, link: str | None, ui: Language) -> str:
    """An article's title; of one without, the end of its address."""
    return plain(name or "") or plain(link or "") or say("untitled", ui)


def names(found: Sequence[str], ui: Language) -> str:
    return say("also_called", ui, names=", ".join(map(plain, found)))
