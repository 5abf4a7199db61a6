"""What people write behind "search" becomes a query and filters. A pure function of the words.

kubernetes level:beginner lang:ko site:example.com since:2026-01-31
커넥션 풀 난이도:1-3 언어:한국어 출처:example.com 이후:30일
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.replies import LABELS
from core.article import Language
from core.digest import LABELS as LEVELS
from core.library import Filters

LONGEST = 300  # characters of a query; what comes after is not read


@dataclass(frozen=True, slots=True)
class Search:
    """`mistakes`: filters that could not be understood, as they were written."""

    query: str
    filters: Filters
    mistakes: tuple[str, ...] = ()


_NAMES: Mapping[str, str] = {
    **dict.fromkeys(("level", "difficulty", "난이도", "수준"), "level"),
    **dict.fromkeys(("lang", "language", "언어"), "language"),
    **dict.fromkeys(("site", "source", "from", "출처", "사이트"), "site"),
    **dict.fromkeys(("since", "after", "이후", "부터"), "since"),
}
_FILTER = re.compile(rf"(?:^|(?<=\s))({'|'.join(_NAMES)})\s*:\s*(\S+)", re.I)


def understood(words: str, now: datetime) -> Search:
    """`now`: aware; "since:7d" counts back from it."""
    query = " ".join(_FILTER.sub(" ", words).split())[:LONGEST]
    filters, mistakes = Filters(), []
    for name, value in _FILTER.findall(words):
        read = _READERS[_NAMES[name.lower()]]
        found = read(filters, value, now)
        if found is None:
            mistakes.append(f"{name}:{value}")
        else:
            filters = found
    return Search(query, filters, tuple(mistakes))


def with_level(filters: Filters, value: str, now: datetime) -> Filters | None:
    """A label in either language, a whole level, or a range: "beginner", "입문", "2", "1-3", "~3"."""
    label = _label(value)
    if label is not None:
        number = LEVELS.index(label) + 1
        return replace(filters, easiest=number - 0.4 if number > 1 else 1.0, hardest=number + 0.5)
    match = re.fullmatch(r"([1-5](?:\.\d)?)?\s*([-~–]|\.\.)?\s*([1-5](?:\.\d)?)?", value)
    if match is None or not (match.group(1) or match.group(3)):
        return None
    low, between, high = match.groups()
    if not between:
        return with_level(filters, LEVELS[round(float(low)) - 1], now)
    easiest, hardest = float(low or 1), float(high or 5)
    return replace(filters, easiest=easiest, hardest=hardest) if easiest <= hardest else None


def _label(value: str) -> str | None:
    asked = value.casefold()
    for label in LEVELS:
        if asked in (label, *(one.casefold() for one in LABELS[label])):
            return label
    return None


_LANGUAGES: Mapping[str, Language] = {
    **dict.fromkeys(("ko", "korean", "한국어", "한글", "국문"), "ko"),
    **dict.fromkeys(("en", "english", "영어", "영문"), "en"),
}


def with_language(filters: Filters, value: str, now: datetime) -> Filters | None:
    language = _LANGUAGES.get(value.casefold())
    return None if language is None else replace(filters, language=language)


def with_site(filters: Filters, value: str, now: datetime) -> Filters | None:
    """A host, or an address of which the host counts."""
    host = re.sub(r"^<?(?:https?://)?(?:www\.)?([^/|>]+).*$", r"\1", value.strip()).lower()
    return replace(filters, site=host) if re.fullmatch(r"[\w.-]+\.[\w-]+(?::\d+)?", host) else None


_UNITS = {
    **dict.fromkeys(("d", "day", "days", "일"), 1),
    **dict.fromkeys(("w", "week", "weeks", "주"), 7),
    **dict.fromkeys(("m", "month", "months", "개월", "달"), 30),
    **dict.fromkeys(("y", "year", "years", "년"), 365),
}
_WORDS = {"today": 0, "오늘": 0, "yesterday": 1, "어제": 1, "week": 7, "month": 30, "year": 365}


def with_since(filters: Filters, value: str, now: datetime) -> Filters | None:
    """A date ("2026-01-31", "2026.1.31", "2026-01"), or how long ago ("7d", "2주", "3개월")."""
    flat = value.casefold()
    age = re.fullmatch(r"(\d{1,4})\s*([a-z]+|일|주|개월|달|년)", flat)
    if flat in _WORDS:
        days = _WORDS[flat]
    elif age is not None and age.group(2) in _UNITS:
        days = int(age.group(1)) * _UNITS[age.group(2)]
    else:
        return _since_date(filters, flat)
    midnight = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    try:
        return replace(filters, since=midnight - timedelta(days=days))
    except OverflowError:
        return None


def _since_date(filters: Filters, value: str) -> Filters | None:
    found = re.fullmatch(r"(\d{4})[-./](\d{1,2})(?:[-./](\d{1,2}))?\.?", value)
    if found is None:
        return None
    year, month, day = (int(one or 1) for one in found.groups())
    try:
        return replace(filters, since=datetime(year, month, day, tzinfo=UTC))
    except ValueError:
        return None


Reader = Callable[[Filters, str, datetime], Filters | None]
_READERS: Mapping[str, Reader] = {
    "level": with_level,
    "language": with_language,
    "site": with_site,
    "since": with_since,
}
