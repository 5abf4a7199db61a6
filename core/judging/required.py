"""What an article itself asks its readers for: its list of prerequisites, and what it assumes.

A section called Prerequisites (사전 지식, 준비물) holds more than prerequisites: notes, where to read
on, steps, reasons. What names a thing, or says what readers have or need, is taken; the rest is not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from core.chunks import Document, Sentence

_SECTION = re.compile(
    r"^(?:\d+[.)]?\s*)?(?:pre-?requisites?|before (?:you|we) (?:begin|start)|requirements|what you(?:'ll| will)? need"
    r"|사전 ?(?:지식|준비|요구 ?사항|조건)|준비물|필요한 ?지식|선수 ?지식|시작하기 전에)\b",
    re.I,
)
_LONGEST_ITEM = 110

# Somebody has, is or needs something: the form a prerequisite has as a sentence.
_STATED = re.compile(
    r"^(?:you|readers?|we|it'?s|it is|this (?:tutorial|guide|article|post))\b.{0,30}?"
    r"(?:\b(?:have|has|are|needs?|must|should (?:already )?(?:have|be|know)|requires?|required|assumed?|assumes|know)\b"
    r"|['’](?:ve|re|ll)\b)"
    r"|^(?:your|make sure|ensure)\b|^(?:to|for|in order to) [^,]{3,50}, (?:you|we)(?: will|['’]ll)? need\b"
    r"|\b(?:is|are|must be|should be) (?:\w+ )?(?:needed|required|assumed|expected|installed|assigned|enabled|recommended)\b"
    r"|필요|있어야|알아야|설치되어|익숙|전제|가정",
    re.I,
)
# The beginnings of notes and pointers, of what comes after a condition or in place of something,
# and of sentences about the thing that was named before.
_REMARK = re.compile(
    r"^\W*(?:note|tip|hint|important|warning|info|참고|주의|팁)\b\W*:"
    r"|^(?:for (?:\w+ )?(?:information|details|instructions|more)|see|refer to|have a look|check|read|learn|follow|visit"
    r"|download (?:it )?here|if|when|once|below|therefore|however|also|alternatively|optionally,? you"
    r"|there|they|these|those|that|it|this|the lab|any \w+ (?:\w+ ){0,4}(?:works?|(?:will|can)(?: work| be used)?)"
    r"|you (?:can|may|might|could|do not|don['’]t|will (?:see|learn)|should (?:use|see))|we recommend"
    r"|(?:you|we) need (?:this|that|these|those|it|them|to (?:do )?(?:this|it)))\b"
    r"(?!(?: tutorial| guide| article| post)? (?:assumes|requires))"
    r"|\b(?:all|the) prerequisites\b|\b(?:prerequisite|required) tools\b"
    r"|(?:참고|참조|확인)(?:해|하)\S*$|^자세한",
    re.I,
)
# What is done with a mouse or at a prompt is a step of the work. To install or create comes before it.
_STEP = re.compile(
    r"^(?:(?:in|on|from|under|at) [^,.]{2,60}?,? )?(?:click|select|choose|press|tap|enter|type|open|go to|navigate|log ?in|"
    r"sign ?in|run|execute|verify|clone|copy|paste|use the|bring up)\b"
    r"|(?:클릭|선택|입력|실행)(?:합니다|하세요|하십시오|한다)$",
    re.I,
)
_BEFOREHAND = re.compile(
    r"^(?:install|download|create|launch|set ?up|build|obtain|sign up|register|complete|make sure|ensure)\b",
    re.I,
)
_OPENING = re.compile(
    r"^(?:please,? |before (?:starting|proceeding|(?:you|we) (?:begin|start|proceed)),? )+", re.I
)
_CLOSING = re.compile(
    r",? (?:to (?:complete|follow|do)|(?:used )?for|before starting) (?:this|the) (?:learning path|tutorial|guide|section|article)$",
    re.I,
)
_NOUN_FOLLOWS = r"(?=(?:an?|the|one of|at least|either|access|some|basic|working|good|prior)\s)"
_HAVING = re.compile(
    rf"^you(?: (?:must |should |will |may )?(?:also )?(?:have|need)|['’]ll need|['’]ve got) {_NOUN_FOLLOWS}",
    re.I,
)
_FAMILIAR = re.compile(r"^you(?: are|['’]re| should be| must be) (?:already )?familiar with ", re.I)
_YOU = re.compile(r"\byou(?:['’](?:ve|re|ll))?\b", re.I)

_ASSUMED = re.compile(
    r"(?<!no )(?<!without )(?<!not )(?<!any )"
    r"\b(?:familiar(?:ity)? with|(?:basic|working|some|prior|good) (?:knowledge|understanding|experience)"
    r"(?: (?:of|with|in|about|on))?|experience with|assumes? (?:that )?(?:you|readers?) (?:know|understand|have))\s+"
    r"(?P<what>[^.;:!?()]{3,90})",
    re.I,
)
_ASSUMED_KO = re.compile(
    r"(?:^|(?:려면|위해|위해서는|에는|에서는)\s|[,:]\s?)(?P<what>[^.,!?\n]{1,30}?)에 대한 "
    r"(?:기본(?:적인)? ?)?(?:지식|이해|경험)[이가]? ?(?:필요|있다고|있어야|요구)"
)


def asked_for(document: Document) -> Iterator[str]:
    """The article's own list first, then what its sentences assume; in its own words."""
    yield from _listed(document)
    yield from _assumed(document)


def _listed(document: Document) -> Iterator[str]:
    for sentence in document.sentences:
        if _SECTION.match(sentence.heading) and _is_prerequisite(sentence):
            yield as_item(sentence.text)


def _is_prerequisite(sentence: Sentence) -> bool:
    """An item may just name a thing; whatever else stands in the section has to ask for one."""
    text = _OPENING.sub("", sentence.text.strip())
    if not 2 <= len(text) <= _LONGEST_ITEM or text.endswith((":", "?")):
        return False
    bare = text.rstrip(" .;")
    if len(bare) < 2 or _REMARK.search(bare) or _STEP.search(bare):
        return False
    if sentence.first and (sentence.kind == "item" or _BEFOREHAND.search(bare)):
        return True
    return sentence.kind in ("item", "paragraph") and bool(_STATED.search(bare))


def as_item(text: str) -> str:
    """ "You have an account." in a list: "An account"; left as it is where more is said of "you"."""
    bare = _CLOSING.sub("", _OPENING.sub("", text.strip().rstrip(" .:;")))
    bare = bare[0].upper() + bare[1:] if bare != text else bare
    for pattern, instead in ((_FAMILIAR, "Familiarity with "), (_HAVING, "")):
        match = pattern.match(bare)
        if match is not None and not _YOU.search(bare, match.end()):
            short = instead + bare[match.end() :]
            return short[0].upper() + short[1:]
    return bare


def _assumed(document: Document) -> Iterator[str]:
    pattern = _ASSUMED_KO if document.language == "ko" else _ASSUMED
    for sentence in document.sentences:
        match = pattern.search(sentence.text)
        if match is not None:
            what = re.split(
                r",? (?:but|so that|which|because|before|and (?:you|have))\b", match["what"]
            )[0]
            what = re.sub(r"^(?:the basics of|how to use|of|with|in|using)\s+", "", what.strip())
            what = re.sub(
                r",? (?:is|are|will be|would be) (?:\w+ )?(?:needed|required|assumed|expected|helpful|useful|recommended)\b.*",
                "",
                what,
            )
            if 2 <= len(what) <= 80:
                yield what.strip(" ,'\"")
