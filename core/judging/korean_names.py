"""What the runs of a Korean article weigh as names of what it is about.

There are no Korean tags to learn from (see `keywords.py`), so this is by rule. Korean technical
prose is full of Latin words: some are names (React, GitOps), others come from code (setNumber)
or are just English. Of Korean words our background knows few, so that a word is rare says little:
how often it stands, where, and whether it is a name we know says more.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import lru_cache

from core.chunks import Document
from core.judging import glossary
from core.judging.background import background
from core.judging.hangul import is_hangul
from core.judging.korean import noun_runs
from core.judging.names import PARTICLES, meanings, table_names
from core.judging.names import key as name_key
from core.judging.prerequisites import technologies
from core.judging.runs import Key, Sighting, halves
from core.language import stem

# What a word is worth, chosen by reading the keywords of 32 articles (React's pages, blogs of a
# company and of PyTorch, notes on computer science): what we know by name before what only looks
# like one, and that before plain words.
_KNOWN, _NAME, _TECHNICAL, _UNSEEN, _SHARED, _PLAIN, _CODE = 7.0, 3.5, 3.2, 2.2, 1.6, 0.8, 0.6
# A plain or unseen word has to stand this often, or in the title or a heading.
_OFTEN = 3
# A run stands for its parts when so much of them is inside it.
_SHARE = 0.4
# A Korean word that so many of our 147 everyday texts have belongs to everybody.
_EVERYDAY = 3
_LATIN_IN_CODE = re.compile(r"[A-Za-z]\w+")
_IDENTIFIER = re.compile(r"[a-z]+(?:[A-Z]|_)|[A-Za-z]\w*\.\w|.*_")
# Good parts of a name (서버 컴포넌트), but what they name alone is too much.
_TOO_WIDE = frozenset(
    "코드 데이터 기능 파일 성능 도구 언어 텍스트 서비스 서버 함수 변수 버튼 시스템 로직 프로그래밍 플랫폼 모델 제어 연산 계산"
    " 동시 확장 계층 이벤트 개발자 유저 클라이언트 리소스 버전 패턴 사용자 값 피드백 인간 라이브러리 프로그램 메서드 모듈"
    " 클래스 객체 배열 노드 버그 클릭 스크립트 예외 명령어 null http api code data index number".split()
)
# Structure and evaluation of any text, beyond what `runs` leaves out already: no name begins or
# ends with them. Read off the keywords of those articles and 85 others (React's pages, science news).
_FILLERS = frozenset(
    "장점 단점 한계 장애 고민 아무것 요인 다수 요소 특징 개요 목적 목표 배경 원인 해결 차이 의미 역할 형태 작업 과정 단계"
    " 방식 종류 개념 그림 왼쪽 오른쪽 위쪽 아래쪽 질문 답변 사례 경험 노력 도움 관심 관점 이름 순서 숫자 문장 단어 항목 목록"
    " 기본 최종 불필요 비효율 다양 중요 복잡 간단 소개 참고 링크 최상위 수준 즉석 양식 기억 마법 공유 기대 발표 제품 실제"
    " 조직 팀 문서 오류 직관 동일 자체 외부 내부 접근 순위 탐색 저장 수행 실행 설계 원칙 규칙 속도 품질 설정 기반 자식 부모"
    " 해당 사항 영향 흐름 구현 이러 판단 대신 환경 전환 로컬 이전 일반 호출 시점 강연 주기 옵션 단위 결과물 중첩 상단 하단"
    " 세부 마찬가지 입력 출력 경로 페이지 기본값 원본 명확 엔지니어링 케이스 커뮤니티 감사 인자 수동 대기 레벨 문제점 기업 표시"
    " 표현 가능성 참고사항 해결책 기법 일관성 하위 상위 고수준 저수준 분석 연구팀 연구진 인류 요약 에러 스타일 신입 동작 임의"
    " 반면 본인 각각 서로 전체 일부 나머지 대상 기준 조건 이점 강점 약점 특성 유형 측면 부분 별도 직접 정의 포함 선택".split()
)


def weighed_in_korean(runs: Mapping[Key, Sighting], document: Document) -> dict[Key, float]:
    """What each run is worth that is worth anything."""
    judge = _Judge(document)
    found = {key: judge.weight(key, sighting) for key, sighting in runs.items()}
    found |= dict.fromkeys(halves(runs, _SHARE), 0.0)
    if judge.whole in found:
        found |= {key: 0.0 for key in found if set(key) < set(judge.whole)}
    return {key: weight for key, weight in found.items() if weight > 0}


def _title_as_a_name(title: str) -> Key:
    """ "조건부 렌더링": the whole title is what the article is about, and its words are not."""
    runs = list(noun_runs(title))
    alone = len(runs) == 1 and len(runs[0]) > 1 and " ".join(runs[0]) == title
    return tuple(word.lower() for word in runs[0]) if alone else ()


class _Judge:
    """What is looked up again for each run of one article."""

    def __init__(self, document: Document) -> None:
        code = "\n".join(block.text for block in document.code)
        self.code = frozenset(_LATIN_IN_CODE.findall(code))
        self.total = max(1, len(document.sentences))
        self.sections = len({sentence.section for sentence in document.sentences})
        self.whole = _title_as_a_name(document.title)

    def weight(self, key: Key, sighting: Sighting) -> float:
        marked = sighting.title > 0 or sighting.headings > 0
        if _names_nothing(key) or (len(key) > 1 and sighting.count < 2 and key != self.whole):
            return 0.0
        worth = self.worth(sighting.spelling, sighting.spelling.split())
        if not marked and worth <= _PLAIN:
            return 0.0
        if worth <= _TECHNICAL and sighting.count < (2 if marked or len(key) > 1 else _OFTEN):
            return 0.0
        early = 1.0 + 0.5 * (1.0 - min(1.0, sighting.first / self.total))
        mark = 1.0 + 0.35 * min(6.0, 3.0 * (sighting.title > 0) + sighting.headings)
        # an analogy stays in its paragraph
        local = self.sections >= 4 and len(sighting.sections) < 2 and not marked
        factor = (0.7 if local else 1.0) * (2.0 if key == self.whole else 1.0)
        return math.log1p(sighting.count) * worth * early * mark * factor

    def worth(self, spelling: str, words: Sequence[str]) -> float:
        if len(words) > 1 and is_known(spelling):
            return _KNOWN * math.sqrt(len(words))
        if len(words) > 1 and all(word[0].isupper() for word in words):
            return _NAME * math.sqrt(len(words))  # "Github Actions", "Active Directory"
        return sum(_worth(word, self.code) for word in words) / math.sqrt(len(words))


def _names_nothing(key: Key) -> bool:
    return key[0] in _FILLERS or key[-1] in _FILLERS or (len(key) == 1 and key[0] in _TOO_WIDE)


def mended(spelling: str, text: str) -> str:
    """ "인터럽" is 인터럽트 where the text mostly goes on so: no analyser knows every loan word."""
    if not is_hangul(spelling[-1]):
        return spelling
    followed = re.findall(rf"{re.escape(spelling)}([\uac00-\ud7a3]?)", text)
    syllable, count = Counter(followed or [""]).most_common(1)[0]
    whole = count < 2 or count < 0.6 * len(followed) or syllable in _ENDINGS
    return spelling if whole else spelling + syllable


_ENDINGS = frozenset(
    "하되된될할한해했들적인화을를이가은는의에로와과도만나라며고들께"
    + "".join(p[0] for p in PARTICLES)
)


@lru_cache(maxsize=1)
def _known_names() -> frozenset[str]:
    named = (
        *table_names(),
        *(name for one in technologies() for name in (one.name, *one.spellings)),
        *glossary.names("en"),
        *glossary.names("ko"),
    )
    return frozenset(name_key(name) for name in named if len(name) > 1)


def is_known(spelling: str) -> bool:
    return name_key(spelling) in _known_names()


def same_thing(one: str, other: str) -> bool:
    """카프카 and Kafka, FlashAttention and FlashAttention-3, 평가 and 평가자."""
    if name_key(one) == name_key(other) or set(meanings(one)) & set(meanings(other)):
        return True
    short, long = sorted((one, other), key=len)
    rest = long[len(short) :] if long.startswith(short) else None
    return rest is not None and (not rest[:1].isalpha() or (is_hangul(rest) and len(rest) <= 2))


def _worth(word: str, code: frozenset[str]) -> float:
    if is_known(word):
        return _UNSEEN if word.islower() and word in code else _KNOWN
    if is_hangul(word):
        return _worth_of_korean(word)
    if _IDENTIFIER.match(word):
        return _CODE
    if any(c.isupper() for c in word[1:]):
        return _SHARED if word in code and not word.isupper() else _NAME
    worth = _worth_of_english(word) if word.isalpha() else _PLAIN
    return min(worth, _SHARED) if word in code else worth


@lru_cache(maxsize=8192)
def _worth_of_korean(word: str) -> float:
    common = background("ko")
    technical, everyday = common.counts.get(word.lower(), (0, 0))
    if everyday >= _EVERYDAY or everyday > technical:
        return _PLAIN
    return _TECHNICAL if common.specialist(word.lower()) else _UNSEEN


@lru_cache(maxsize=8192)
def _worth_of_english(word: str) -> float:
    """A word that no English text we know has is a name more often than not."""
    common, own = background("en"), stem(word.lower())
    seen = common.counts.get(own) is not None
    if not seen or (word[0].isupper() and common.specialist(own)):
        return _NAME
    return _UNSEEN if common.specialist(own) else _PLAIN
