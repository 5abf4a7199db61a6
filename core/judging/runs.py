"""Runs of content words that could name what an article is about, and what English ones weigh by rule.

English: up to three content words; Korean: nouns (their weights: `korean_names.py`). A run is worth
its frequency times the rarity of its words (`background.py`), more in the title and headings and
when it comes early; a run that is mostly part of a longer one is worth nothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from core.article import Language
from core.chunks import Document
from core.judging.background import Background, background
from core.judging.korean import is_korean, noun_runs
from core.language import is_stopword, stem

Key = tuple[str, ...]

_TOKEN = re.compile(r"[A-Za-z][A-Za-z0-9+#]*(?:[-_./'’][A-Za-z0-9+#]+)*|[^\sA-Za-z]|\d+")
_LONGEST = 3
# Words that any technical text uses for structure and evaluation, and that name nothing by themselves.
_EMPTY = frozenset(
    "example way case thing part kind type lot bit set number following article post blog section figure table"
    " approach method result paper work problem solution new good better best different important simple easy great"
    " several important default note step code file data value name line user time people year day today detail"
    " version support change update issue question answer read write run make provide include allow need want create"
    " add call show start open take look find learn understand explain describe consider mean help follow build"
    " possible available able common similar specific current real large small high low long short first second last"
    " next main point idea reason place world team company http https www com org html github-io fig et al eg ie"
    " choose select click ms kb mb gb tb percent millisecond second minute hour ignore instruction love hello goodbye welcome announce today happy excited propose demonstrate introduce evaluate achieve proposed technical existing state-of-the-art various significantly".split()
)
_EMPTY_KO = frozenset(
    "것 수 때 등 중 경우 방법 사용 문제 이유 다음 위 아래 예 예시 부분 내용 정도 시작 생각 설명 확인 필요 가능 이번 글"
    " 사람 시간 년 월 일 개 번 명 말 점 후 전 내 외 최근 이후 현재 우리 자신 하나 모두 대부분 이상 이하 정리 소개 추가 변경"
    " 결과 진행 활용 제공 이용 작성 관련 통해 대한 위한 기존 처음 마지막 개발 적용 구성 동작 생성 발생 처리 상황".split()
)


@dataclass
class Sighting:
    """Where a candidate stands: counts by spelling, the first sentence, title, headings, sections."""

    spellings: Counter[str] = field(default_factory=Counter)
    first: int = 1_000_000
    title: int = 0
    headings: int = 0
    sections: set[int] = field(default_factory=set)

    @property
    def count(self) -> int:
        return self.spellings.total()

    @property
    def spelling(self) -> str:
        """The most frequent one; of equally frequent ones the first seen."""
        return self.spellings.most_common(1)[0][0]

    def see(self, spelling: str, index: int, section: int, kind: str) -> None:
        self.spellings[spelling] += 1
        self.first = min(self.first, index)
        self.title += kind == "title"
        self.headings += kind == "heading"
        if kind == "sentence":
            self.sections.add(section)


def texts(document: Document) -> Iterator[tuple[str, int, int, str]]:
    """Title, headings and sentences, each with its sentence's number, section, and kind."""
    yield document.title, 0, 0, "title"
    for heading in document.headings[:60]:
        yield heading, 0, 0, "heading"
    for sentence in document.sentences:
        yield sentence.text, sentence.index, sentence.section, "sentence"


def collect(document: Document) -> dict[Key, Sighting]:
    found: dict[Key, Sighting] = defaultdict(Sighting)
    korean = document.language == "ko"
    for text, index, section, kind in texts(document):
        if korean and kind == "sentence" and not is_korean(text):
            continue  # quoted, or the English sentence that was translated
        for key, spelling in _runs(text, document.language):
            found[key].see(spelling, index, section, kind)
    return dict(found)


def weighed(runs: Mapping[Key, Sighting], document: Document) -> dict[Key, float]:
    """What each run of an English article is worth by rule; 0: nothing."""
    rare = background("en")
    total = max(1, len(document.sentences))
    found = {key: _score(key, sighting, rare, total) for key, sighting in runs.items()}
    return found | dict.fromkeys(halves(runs), 0.0)


def halves(runs: Mapping[Key, Sighting], share: float = 0.6) -> Iterator[Key]:
    """Runs that mostly (in this share) stand inside one longer run: "Arm Virtual" of "Arm Virtual Hardware"."""
    for key, sighting in runs.items():
        for start in range(len(key)):
            for end in range(start + 1, len(key) + 1):
                inner = runs.get(key[start:end])
                if inner is None or end - start == len(key) or sighting.count < 2:
                    continue
                if sighting.count >= share * inner.count:
                    yield key[start:end]


def _runs(text: str, language: Language) -> Iterator[tuple[tuple[str, ...], str]]:
    for run in noun_runs(text) if language == "ko" else _english_runs(text):
        for start in range(len(run)):
            for end in range(start + 1, min(len(run), start + _LONGEST) + 1):
                piece = run[start:end]
                key = tuple(_key(word, language) for word in piece)
                if _names_something(piece, key, language):
                    yield key, _spelled(piece, text, language)


def _key(word: str, language: Language) -> str:
    return word.lower() if language == "ko" else stem(word.lower())


def _english_runs(text: str) -> Iterator[list[str]]:
    run: list[str] = []
    for match in _TOKEN.finditer(text):
        word = match.group()
        if _can_be_named(word):
            run.append(word)
        elif run:
            yield run
            run = []
    if run:
        yield run


def _can_be_named(word: str) -> bool:
    plain = word.replace("’", "'")
    return word[0].isalpha() and 1 < len(word) <= 40 and not is_stopword(plain) and "'" not in plain


_TAILS = ("ly", "ing", "ed")


def _names_something(piece: list[str], key: tuple[str, ...], language: Language) -> bool:
    """A run must begin and end as a name does; verbs and fillers at the edges are another run."""
    if language == "ko":
        fillers = any(w in _EMPTY_KO or is_stopword(w) for w in (piece[0], piece[-1]))
        return not fillers and len("".join(piece)) > 1
    if any(w.lower() in _EMPTY or k in _EMPTY for w, k in zip(piece, key, strict=True)):
        return False
    if len(piece) > 1:
        return not piece[-1].endswith(("ly", "ed")) and not piece[0].endswith("ly")
    return not (piece[0].islower() and piece[0].endswith(_TAILS))


def _spelled(piece: list[str], text: str, language: Language) -> str:
    joined = " ".join(piece)
    if language == "ko" and joined not in text:
        return "".join(piece)
    return joined


def _score(key: Key, sighting: Sighting, rare: Background, total: int) -> float:
    frequency, spelling = sighting.count, sighting.spelling
    mark = 3.0 * (sighting.title > 0) + sighting.headings
    if len(key) > 1 and frequency < 2 and mark < 3.0:
        return 0.0
    plain_word = len(key) == 1 and spelling.islower()
    if plain_word and frequency < 3 and not rare.specialist(key[0]):
        return 0.0
    rarity = sum(_rarity(word, rare) for word in key) / math.pow(len(key), 0.6)
    early = 1.0 + 0.5 * (1.0 - sighting.first / total)
    marked = 1.0 + 0.35 * min(6.0, mark)
    named = 1.25 if any(c.isupper() for c in spelling) else 1.0
    return math.log1p(frequency) * rarity * early * marked * named


def _rarity(word: str, rare: Background) -> float:
    """IDF, capped: what no other text has is a typing error as often as a subject."""
    return min(rare.idf(word), 5.5) - 0.6
