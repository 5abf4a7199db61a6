"""What stands around an article although the extractor took it for a part of it.

The title again, bylines, teasers of other articles, sign-up boxes, copyright lines. Decided
block by block: by how much of a block is link, by where it stands, by the few dozen phrases
that all such lines share. A rule may only take a short block; long text is never boilerplate.
EXTRACTION.md says what each rule was worth on the saved pages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.web.blocks import Block, word_count

LEAD_BLOCKS = 8  # how far down a byline or a repeated title may stand
LEAD_SHARE = 0.2  # at most this much of the text may stand above its title
TAIL_SHARE = 0.3  # at most this much of the text may follow a heading such as "Related"
SHORT = 30  # words; what is longer is text, whatever it says

_TEASER = re.compile(
    r"^\W*(?:read (?:more|next|also|the full)|also read|related(?: (?:article|story|post|content))?s?\s*:"
    r"|see also\b|see more\b|more\s*:|watch(?: now| more| video)?\s*:|don'?t miss|recommended(?: reading)?\s*:"
    r"|click here|tap here|leggi anche|lire aussi|lee también|mehr zum thema|lesen sie auch"
    r"|관련\s*(?:기사|글|뉴스)|더\s*보기|함께\s*(?:보면|읽으면)|추천\s*(?:기사|글))",
    re.IGNORECASE,
)
_FURNITURE = re.compile(
    r"(?:^|\b)(?:all rights reserved|copyright\s*(?:©|\(c\)|\d{4})|©\s*\d{4}|order reprints|print article"
    r"|sign[ -]?up (?:for|to|now|here)|subscribe (?:to|now|here|for|today)|subscribe\W*$|(?:our|free|daily|weekly) newsletter"
    r"|thanks? (?:you )?for (?:signing|subscribing)|check your inbox|keep an eye on your inbox"
    r"|follow (?:us|me|him|her|them|@)|follow \S+(?: \S+)? on (?:twitter|facebook|instagram|linkedin)"
    r"|share (?:this|on|via)|like us on|join (?:us|our)|(?:e-?mail|write to|contact) (?:us|me|the author|\S+(?: \S+){0,2} at \S+@)"
    r"|(?:an?|there was an) error (?:has )?(?:occurred|processing)|please try again later"
    r"|contributed to this (?:report|article|story)|this (?:article|story|post) (?:was|has been|is) "
    r"(?:originally|first|sent|also|updated|republished)"
    r"|click here (?:to|for)|get the \S+ (?:\S+ )?app|download (?:the|our) app|listen live|watch live"
    r"|tell us what you think|leave a (?:comment|reply)|no comments|\d+ comments?\W*$|comments are closed"
    r"|posted in|filed under|tagged (?:with|in|as)|tags?\s*:|categories\s*:|view (?:all )?comments"
    r"|무단\s*(?:전재|복제)|재배포\s*금지|저작권자|구독\s*(?:하기|신청)|공유\s*하기|기자\s*\S+@|\S+@\S+\s*기자)",
    re.IGNORECASE,
)
_SHARE_WORDS = re.compile(
    r"^\W*(?:share|tweet|pin(?:terest)?|e-?mail|print|save|facebook|twitter|linkedin|whatsapp|reddit"
    r"|telegram|copy link|link copied|comments?|advertisement|ad|sponsored|loading|menu|close|sorry!?"
    r"|thank you!?|공유|댓글|인쇄|스크랩|목록|이전\s*글|다음\s*글|좋아요|광고)(?:\W+(?:share|tweet|pin|e-?mail|print|this|on"
    r"|facebook|twitter|linkedin|whatsapp|reddit|telegram|with|friends?|and|or))*\W*\d*\W*$",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"^\W*(?:related(?: (?:articles?|posts?|stories|content|reading|links|news|topics))?|more (?:from|on|in|like|stories|news|articles)\b.*"
    r"|most (?:read|popular|viewed|shared|commented)\b.*|read (?:next|more)|recommended(?: (?:for you|reading|articles|posts|stories))?"
    r"|you (?:may|might) (?:also )?(?:like|be interested|enjoy)\b.*|don'?t miss|trending(?: now)?|popular (?:posts|articles|stories)"
    r"|latest (?:news|posts|articles|stories)|(?:\d+ )?(?:comments|responses|replies|thoughts on\b.*)|leave a (?:reply|comment)"
    r"|share this(?: \w+)?|(?:our )?newsletter|sign up\b.*|subscribe\b.*|about the authors?|about (?:us|this site)"
    r"|editors'? picks?|what to read next|up next|also in\b.*|see also|"
    r"관련\s*(?:기사|글|뉴스|포스트)|추천\s*(?:기사|글)|인기\s*(?:기사|글)|많이\s*본\s*\S*|댓글(?:\s*\d+)?|이 카테고리의 다른 글|다른\s*글)\W*$",
    re.IGNORECASE,
)
_BYLINE = re.compile(
    r"^\W*(?:by|von|par|por|글|작성자?|written by|posted (?:by|on|in)|published(?: on| by|\s*:)?|updated?(?: on|\s*:)?"
    r"|last (?:updated|modified)|기자|등록|입력|수정|승인)\b.{0,80}$|^\W*\d+ ?(?:min(?:ute)?s?|분) ?(?:read|to read|소요)?\W*$"
    r"|^\W*(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day,? )?(?:\d{1,2} )?(?:jan|feb|mar|apr|may|june?|july?|aug|sept?|oct|nov|dec)"
    r"[a-z]*\.?,? (?:\d{1,2}(?:st|nd|rd|th)?,? )?\d{4}\b.{0,30}$|^\W*\d{4}[-./년] ?\d{1,2}[-./월] ?\d{1,2}.{0,25}$",
    re.IGNORECASE,
)
# Sources at the end of a text are links, too, and belong to it.
_SENTENCE_ENDS = (".", "!", "?", "…", "。")
_REFERENCE = re.compile(r"^\W*(?:\[?\d{1,3}[\].)]|https?://)|^[\"“].*[\"”]$")


def without_boilerplate(blocks: Sequence[Block], title: str | None) -> list[Block]:
    """The blocks of the article itself. Never empty where something came in."""
    kept = _below_title(list(blocks), title)
    kept = _without_teasers(kept)
    kept = _without_afterword(kept)
    kept = _without_tail(kept)
    return kept or list(blocks)


def _words(block: Block) -> int:
    return word_count(block.text)


def _total(blocks: Sequence[Block]) -> int:
    return sum(map(_words, blocks))


def same_words(left: str, right: str) -> bool:
    """Two titles, whatever their case, punctuation and site name."""
    a, b = _signature(left), _signature(right)
    if not a or not b:
        return False
    short, long = sorted((a, b), key=len)
    return a == b or (len(short) >= 15 and short in long and len(short) > 0.6 * len(long))


def _signature(text: str) -> str:
    return re.sub(r"[\W_]+", "", text).lower()


# --- above the text


def _below_title(blocks: list[Block], title: str | None) -> list[Block]:
    """Without the title, which an article has as its own, and the little that stands above it."""
    if title:
        for index, block in enumerate(blocks[: LEAD_BLOCKS * 2]):
            if _words(block) <= 2 * SHORT and same_words(block.text, title):
                above = _total(blocks[:index])
                if above <= LEAD_SHARE * _total(blocks) or above <= SHORT:
                    blocks = blocks[index + 1 :]
                else:
                    blocks = blocks[:index] + blocks[index + 1 :]
                break
    return [
        block
        for index, block in enumerate(blocks)
        if index >= LEAD_BLOCKS or not _is_lead_furniture(block)
    ]


def _is_lead_furniture(block: Block) -> bool:
    if block.kind == "code" or _words(block) > 14:
        return False
    return bool(_BYLINE.match(block.text) or _SHARE_WORDS.match(block.text))


# --- between the text


def _without_teasers(blocks: list[Block]) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        if not _is_teaser(block, kept[-1] if kept else None):
            kept.append(block)
    return kept


def _is_teaser(block: Block, before: Block | None) -> bool:
    """A paragraph that is one link to somewhere else, or says that it is."""
    if block.kind in {"code", "row", "heading"} or _words(block) > SHORT:
        return False
    if _SHARE_WORDS.match(block.text):
        return True
    if _TEASER.match(block.text) and (block.link_share > 0.3 or block.text.isupper()):
        return True
    if block.kind in {"paragraph", "quote"}:
        # after a colon, or in the middle of a sentence that the extractor has cut at its links
        announced = before is not None and not before.text.rstrip("\"'”’)").endswith(_SENTENCE_ENDS)
        announced = announced and before is not None and before.kind in {"paragraph", "quote"}
        return block.link_share > 0.9 and not announced and not _REFERENCE.match(block.text)
    return False


# --- below the text


def _without_afterword(blocks: list[Block]) -> list[Block]:
    """Cut at "Related articles", "Comments" and the like, if only little follows."""
    total = _total(blocks)
    rest = 0
    for index in range(len(blocks) - 1, 0, -1):
        block = blocks[index]
        if rest > max(TAIL_SHARE * total, SHORT):
            break
        if block.kind != "code" and _words(block) <= 10 and _AFTER.match(block.text):
            return _without_afterword(blocks[:index])
        rest += _words(block)
    return blocks


def _without_tail(blocks: list[Block]) -> list[Block]:
    """From the end upwards, as long as a block is furniture or a list of links."""
    end = len(blocks)
    while end > 1 and _is_tail(blocks[end - 1]):
        end -= 1
    return blocks[:end]


def _is_tail(block: Block) -> bool:
    if block.kind == "code":
        return False
    if block.kind == "heading":
        return True  # nothing follows it any more
    words = _words(block)
    if words > 2 * SHORT:
        return False
    if _FURNITURE.search(block.text) or _SHARE_WORDS.match(block.text):
        return True
    if _REFERENCE.match(block.text):
        return False
    return words <= SHORT and (block.link_share > 0.7 or bool(_TEASER.match(block.text)))
