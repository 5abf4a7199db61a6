"""What every chat's surface says alike, in Korean and English: plain text, without any markup."""

from __future__ import annotations

from collections.abc import Mapping

from bot.words import Both
from core.article import Language

WORDS: Mapping[str, Both] = {
    "button.questions": ("질문", "Questions"),
    "button.too_easy": ("너무 쉬워요", "Too easy"),
    "button.too_hard": ("너무 어려워요", "Too hard"),
    "button.retry": ("다시 시도", "Try again"),
    "button.again": ("다시 요약", "Again"),
    "button.in_english": ("영어로", "In English"),
    "button.in_korean": ("한국어로", "In Korean"),
    "button.hide": ("숨기기", "Hide"),
    "known": ("전에 만든 요약입니다", "digested before"),
    "level": ("{score:.1f} / 5 · {label}", "{score:.1f} / 5 · {label}"),
    "page": ("{page} / {pages}쪽", "page {page} of {pages}"),
    "no_terms": (
        "이 글에서 설명할 용어를 찾지 못했습니다.",
        "No terms to explain in this article.",
    ),
    "no_questions": (
        "이 글로는 질문을 만들지 못했습니다.",
        "No questions came out of this article.",
    ),
    "gone": (
        "이 요약은 더 이상 보관되어 있지 않습니다. 링크를 다시 공유해 주세요.",
        "This digest is not kept any more; please share the link again.",
    ),
    "thanks": ("의견 고맙습니다.", "Thank you for telling."),
    "hidden": ("숨겼습니다.", "It is hidden."),
    "no_link": ("이 메시지에는 링크가 없습니다.", "There is no link in this message."),
    "mode": ("링크를 어떻게 할까요?", "What to do with links"),
    "mode.auto": ("공유되는 링크를 모두 요약", "Digest every shared link"),
    "mode.ask": ("부탁받은 링크만 요약", "Digest only when asked"),
    "mode.off": ("요약하지 않음", "Digest nothing"),
    "language": ("요약의 언어", "Language of digests"),
    "language.auto": ("글의 언어 그대로", "As the article"),
    "language.ko": ("한국어", "Korean"),
    "language.en": ("영어", "English"),
    "ui": ("버튼과 안내의 언어", "Language of buttons and notices"),
    "ui.ko": ("한국어", "Korean"),
    "ui.en": ("영어", "English"),
}


def language_of(locale: object) -> Language:
    """A platform's locale ("ko", "ko-KR", "en-US", …) as one of ours."""
    return "ko" if str(locale).startswith("ko") else "en"
