"""What every chat tells alike of a link and of a digest: plain text, whatever will carry it.

Nothing here is escaped for a platform; each does that itself, last.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from bot import replies
from bot.chats import Listed
from bot.replies import plain
from core.announcements import Posted
from core.article import Language
from core.digest import DifficultyLevel, DigestRecord, Factor

LONGEST_ADDRESS = 80  # characters: enough to tell several links of one message apart
STRONGEST = 2
# Adults read 238 English words of non-fiction a minute (Brysbaert 2019); what has code and terms in
# it takes longer.
WORDS_A_MINUTE = 200
# Below this score an article is easy: what is easiest in it says why. The largest shares would not;
# they are parts of the difficulty, and of little difficulty the hardest factor has the most.
EASY = 2.5


def title(record: DigestRecord, ui: Language) -> str:
    """An article's title; of one without, the end of its address or its site says more than no
    word."""
    head = record.article
    site, path = _split(head.url or "")
    names = (head.title or "", path.rstrip("/").rpartition("/")[2], head.site or site)
    return next(filter(None, map(plain, names)), "") or replies.say("untitled", ui)


def listed(told: Posted, record: DigestRecord | None) -> Listed:
    """An article for a morning's list; of a digest that is gone, what was kept of it."""
    level = DifficultyLevel.of(told.score)
    sentence, minutes = "", 0
    if record is not None:
        sentences = record.details.sentences
        sentence = sentences[0].text if sentences else record.digest.summary
        minutes = minutes_to_read(record.details.words)
    return Listed(
        title=plain(told.title),
        link=told.link,
        source=plain(told.source),
        score=level.score,
        label=level.label,
        sentence=plain(sentence),
        minutes=minutes,
    )


def minutes_to_read(words: int) -> int:
    return max(1, round(words / WORDS_A_MINUTE))


def address(link: str) -> str:
    """Which of several links this is about, as people read it: the site and the decoded path."""
    site, path = _split(link)
    whole = plain(site + path.rstrip("/")) or plain(link)
    return whole if len(whole) <= LONGEST_ADDRESS else whole[: LONGEST_ADDRESS - 1] + "…"


def _split(link: str) -> tuple[str, str]:
    try:
        parts = urlsplit(link)
    except ValueError:
        return "", link
    return parts.netloc.rpartition("@")[2], unquote(parts.path)


def strongest(factors: Sequence[Factor], score: float) -> list[Factor]:
    """Those that made the article as hard, or as easy, as `score` says; the strongest first."""
    if score >= EASY:
        return sorted(factors, key=lambda one: one.score * one.share, reverse=True)[:STRONGEST]
    counted = [one for one in factors if one.share] or factors
    return sorted(counted, key=lambda one: one.score)[:STRONGEST]


def coverage(record: DigestRecord, ui: Language, model: str) -> str:
    """How much was read and checked, how long it took and who wrote it."""
    details = record.details
    return replies.say(
        "coverage" if details.checked else "coverage.unchecked",
        ui,
        words=details.words,
        read=details.read,
        drafted=details.drafted,
        checked=details.checked,
        rejected=details.rejected,
        seconds=record.digest.processing_time,
        model=model,
    )


def model_name(record: DigestRecord) -> str:
    """Without the revision, which says nothing to readers."""
    return record.details.model.partition("@")[0] or record.details.model
