"""What an article's readers must have at hand to follow it: an account, a computer, an editor.

A wrong guess misleads, so mentioning a thing is not enough: readers are led to use it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.article import Language
from core.chunks import Document

_ACCOUNT = re.compile(
    r"\b(AWS|Azure|Google Cloud|GitHub|GitLab|Docker Hub|Hugging Face) (?:account|계정)"
)
_EDITOR = re.compile(r"\b(?:Visual Studio Code|VS ?Code)\b")
_LINUX = re.compile(r"^\s*(?:\$ )?(?:sudo|apt(?:-get)?|dnf|yum)\s", re.M)
_DO = re.compile(
    r"^\W*(?:(?:in|on|from|under) [^,.]{2,60}, )?(?:click|select|choose|open|go to|navigate|enter|type|press|run|install|"
    r"download|create|clone|copy|log ?in|sign ?in|connect|configure|set up|launch|execute|use)\b"
    r"|(?:클릭|선택|입력|실행|설치|다운로드|접속|생성)(?:을 |를 )?(?:합니다|하세요|하십시오|해 ?주세요|한다)",
    re.I,
)
_STEPS = 4
_SHELLS = frozenset(("bash", "sh", "shell", "console", "powershell", "cmd"))
_SAID: dict[str, dict[Language, str]] = {
    "linux": {"en": "A computer running Linux", "ko": "리눅스 컴퓨터"},
    "editor": {
        "en": "A code editor such as Visual Studio Code",
        "ko": "Visual Studio Code 같은 편집기",
    },
    "android": {"en": "Android Studio installed", "ko": "Android Studio 설치"},
}


def account(name: str, language: Language) -> str:
    article = "An" if name[0] in "AEIO" or name.startswith("SAP") else "A"
    return f"{name} 계정" if language == "ko" else f"{article} {name} account"


def needed(document: Document) -> Iterator[str]:
    """What must be at hand: an account that is spoken of, a kind of computer, an editor."""
    language = document.language
    prose = document.prose
    for name in dict.fromkeys(_ACCOUNT.findall(prose)):
        yield account(name, language)
    if _LINUX.search(code_of(document)) or _LINUX.search(prose):
        yield _SAID["linux"][language]
    # many a text mentions an editor; this one works with it
    if any(_EDITOR.search(one.text) and _DO.search(one.text) for one in document.sentences):
        yield _SAID["editor"][language]
    if re.search(r"\bAndroid Studio\b", prose):
        yield _SAID["android"][language]


def code_of(document: Document) -> str:
    return "\n".join(block.text for block in document.code)


def leads_through_steps(document: Document) -> bool:
    """Whether readers are to do as they are told, and not just to read."""
    if _SHELLS & {block.info for block in document.code}:
        return True
    return sum(_DO.search(one.text) is not None for one in document.sentences) >= _STEPS
