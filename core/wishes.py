"""What people write into the form of a subscription, understood: plain text to values.

Each field is read by a function that raises ValueError; `understood` reads them all and tells every
mistake at once, by the name of its field, so that each surface can show it where it was made.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import time
from typing import Any, cast

from core.errors import BadSubscription
from core.feed import EVERY_DAY
from core.mornings import zone_of
from core.settings import OutputLanguage

MOST_A_DAY = 15
MOST_SOURCES = 50
MOST_WORDS, LONGEST_WORD = 20, 60

_DASH = r"\s*(?:-|–|—|~|to|\.\.)\s*"
_NUMBER = r"(\d(?:[.,]\d+)?)"
_RANGE = re.compile(rf"{_NUMBER}(?:{_DASH}{_NUMBER})?")
_CLOCK = r"(\d{1,2})(?:(?::|시\s*)(\d{2})?)?(?:분)?\s*(am|pm)?"
_TIME = re.compile(rf"(오전|오후)?\s*{_CLOCK}", re.IGNORECASE)
_QUIET = re.compile(rf"(\d{{1,2}}(?::\d{{2}})?){_DASH}(\d{{1,2}}(?::\d{{2}})?)")
_ENGLISH = "mon tue wed thu fri sat sun".split()
_KOREAN = "월화수목금토일"
_NAMED: Mapping[str, frozenset[int]] = {
    **dict.fromkeys(("", "daily", "every day", "all", "매일", "항상"), EVERY_DAY),
    **dict.fromkeys(("weekdays", "weekday", "평일"), frozenset(range(5))),
    **dict.fromkeys(("weekend", "weekends", "주말"), frozenset({5, 6})),
}
_NONE = frozenset({"", "-", "none", "no", "off", "없음"})
_YES = frozenset({"yes", "true", "1", "on", "y", "예", "네"})


@dataclass(frozen=True, slots=True)
class Wishes:
    """As `core.feed.Subscription`; `sources` are addresses as they were written."""

    sources: tuple[str, ...] = ()
    low: float = 1.0
    high: float = 5.0
    language: OutputLanguage = "auto"
    include: tuple[str, ...] = ()
    avoid: tuple[str, ...] = ()
    at: time = time(8)
    timezone: str = "UTC"
    days: frozenset[int] = field(default=EVERY_DAY)
    size: int = 5
    quiet: tuple[time, time] | None = None
    say_nothing_new: bool = False


class Mistakes(BadSubscription):
    """`fields`: by the name of a field the word of its mistake in `bot.feed_words`."""

    def __init__(self, wrong: Mapping[str, str]) -> None:
        super().__init__("subscription", ", ".join(sorted(wrong)))
        self.fields = dict(wrong)


def understood(
    form: Mapping[str, str], before: Wishes | None = None, *, listed: bool = False
) -> Wishes:
    """What is not in the form stays as it was `before`; `listed`: feeds come from elsewhere, too.
    Raises Mistakes.

    The fields: sources, difficulty, language, include, avoid, at, timezone, days, size, quiet,
    say_nothing_new.
    """
    values: dict[str, Any] = {}
    wrong: dict[str, str] = {}
    for name, text in form.items():
        read, word = _FIELDS[name]
        try:
            values |= read(text.strip())
        except ValueError:
            wrong[name] = word
    kept = before or Wishes()
    known = {one.name: getattr(kept, one.name) for one in fields(Wishes)}
    made = Wishes(**(known | values))
    if not made.sources and not listed and "sources" not in wrong:
        wrong["sources"] = "sources"
    if len(made.sources) > MOST_SOURCES:
        wrong["sources"] = "too_many"
    if wrong:
        raise Mistakes(wrong)
    return made


def sources(text: str) -> tuple[str, ...]:
    """Addresses, whatever divides them; https:// where nothing stands before."""
    found = [one.strip("<>,;") for one in re.split(r"[\s,]+", text)]
    return tuple(dict.fromkeys(one if "://" in one else f"https://{one}" for one in found if one))


def difficulty(text: str) -> tuple[float, float]:
    """2-3.5 as it stands; 3 is everything that is called so, from 2.6 to 3.5."""
    if not text:
        return 1.0, 5.0
    found = _RANGE.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    low = float(found[1].replace(",", "."))
    high = float(found[2].replace(",", ".")) if found[2] else low + 0.5
    low = low if found[2] else low - 0.4
    low, high = (max(1.0, low), min(5.0, high)) if not found[2] else (low, high)
    if not 1.0 <= low <= high <= 5.0:
        raise ValueError(text)
    return round(low, 1), round(high, 1)


def clock(text: str) -> time:
    """8, 08:00, 8:30 pm, 오후 8시 30분. Raises ValueError."""
    found = _TIME.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    hour, minute = int(found[2]), int(found[3] or 0)
    half = (found[4] or "").lower() or {"오전": "am", "오후": "pm"}.get(found[1] or "", "")
    if half:
        if not 1 <= hour <= 12:
            raise ValueError(text)
        hour = hour % 12 + (12 if half == "pm" else 0)
    return time(hour, minute)


def days(text: str) -> frozenset[int]:
    """daily, weekdays, mon-fri, tue,thu; 매일, 평일, 월-금, 화,목, 화목."""
    plain = text.strip().casefold()
    if plain in _NAMED:
        return _NAMED[plain]
    found: set[int] = set()
    for part in re.split(r"[\s,·/]+", re.sub(_DASH, "-", plain)):
        begin, dash, end = part.partition("-")
        if dash:
            first, last = _day(begin), _day(end)
            found.update(range(first, last + 1) if first <= last else _around(first, last))
        elif part and all(char in _KOREAN for char in part):
            found.update(map(_day, part))
        else:
            found.add(_day(part))
    return frozenset(found)


def _around(first: int, last: int) -> list[int]:
    """Friday to Monday."""
    return [*range(first, 7), *range(last + 1)]


def _day(text: str) -> int:
    korean = text.removesuffix("요일")
    if len(korean) == 1 and korean in _KOREAN:
        return _KOREAN.index(korean)
    if text[:3] not in _ENGLISH:
        raise ValueError(text)
    return _ENGLISH.index(text[:3])


def quiet_hours(text: str) -> tuple[time, time] | None:
    if text.strip().casefold() in _NONE:
        return None
    found = _QUIET.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    begin, end = clock(found[1]), clock(found[2])
    if begin == end:
        raise ValueError(text)
    return begin, end


def words(text: str) -> tuple[str, ...]:
    found = [" ".join(one.split()) for one in re.split(r"[,\n;]", text)]
    kept = tuple(dict.fromkeys(one for one in found if one))
    if len(kept) > MOST_WORDS or any(len(one) > LONGEST_WORD for one in kept):
        raise ValueError(text)
    return kept


def _timezone(text: str) -> str:
    try:
        return zone_of(text).key
    except BadSubscription as error:
        raise ValueError(text) from error


def _size(text: str) -> int:
    number = int(text)
    if not 1 <= number <= MOST_A_DAY:
        raise ValueError(text)
    return number


def _language(text: str) -> OutputLanguage:
    plain = text.casefold() or "auto"
    if plain not in ("auto", "ko", "en"):
        raise ValueError(text)
    return cast("OutputLanguage", plain)


def _difficulty(text: str) -> dict[str, Any]:
    low, high = difficulty(text)
    return {"low": low, "high": high}


def _one(name: str, read: Callable[[str], object]) -> Callable[[str], dict[str, Any]]:
    return lambda text: {name: read(text)}


# Each field with the word of its mistake.
_FIELDS: Mapping[str, tuple[Callable[[str], dict[str, Any]], str]] = {
    "sources": (_one("sources", sources), "sources"),
    "difficulty": (_difficulty, "difficulty"),
    "language": (_one("language", _language), "language"),
    "include": (_one("include", words), "words"),
    "avoid": (_one("avoid", words), "words"),
    "at": (_one("at", clock), "at"),
    "timezone": (_one("timezone", _timezone), "timezone"),
    "days": (_one("days", days), "days"),
    "size": (_one("size", _size), "size"),
    "quiet": (_one("quiet", quiet_hours), "quiet"),
    "say_nothing_new": (
        _one("say_nothing_new", lambda text: text.casefold() in _YES),
        "say_nothing_new",
    ),
}
