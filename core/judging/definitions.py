"""How far a sentence says what a term is: "X is a …", "X란 …이다", "…, called X, …".

The score is for choosing among sentences that mention the term. From `DEFINES` on a sentence
can stand as an explanation; below it, it shows how the term is used. A digest has one sentence
for a term and no room for a second opinion: `defining.defines` asks for more.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.article import Language
from core.judging.names import mention
from core.language import count_words, ends_with_copula, is_stopword

DEFINES = 0.6

_BEFORE_EN = re.compile(
    r"(?i:(?:(?:in|for|with|at|within) [^,.]{2,50},\s+)?(?:so,?\s+|and\s+|simply put,?\s+)?(?:an?\s+|the\s+|our\s+)?)[\"'“‘]?"
)
_BRACKET = r"[\"'”’]?(?:\s*\([^)]{1,60}\))?"
_ASIDE = r"(?:,[^,]{2,60},)"
_IS = r"\s+(?:is|are|was|were)\s+"
_HEDGE = r"(?:(?:simply|basically|essentially|just|really|typically|usually|often|also|commonly|generally|a kind of|a type of|a form of)\s+)*"
_GENUS = r"(?:an?|any|one\s+of|the\s+(?:process|practice|ability|act|art|technique|method|name|idea|concept|set|use|study|process))\b"
_KIND_EN = (
    r"the\s+(?:(?:\w+est|basic|core|main|central|standard|official|default\s+name|part|place|layer|unit|component)\b"
    r"|(?:[\w-]+\s+){1,6}?(?:that|which)\s)"
)
_OPINION = (
    r"(?:an?|the|one of the)\s+(?:(?:\w+ly\s+|very\s+)?(?:ideal|important|common|must-have|\w+est|same|good|great|best|better|bad|hard|nice|big|huge|first|only|most|more|high[\s-]priority|"
    r"worst|way to go|case|reason|problem|question|challenge|example|default|must|mess|pain|no-brainer|lot|bit|few)(?![\w-])"
    r"|(?:[\w-]+\s+){0,3}?(?:choice|attempt|addition|cause|decision|matter|priority|success|failure|mistake|topic|win)"
    r"(?=\s+(?:of|for|in|to|with|because|on|from|at|when|and|but|if|we)\b|[.,;:!]|$))"
)
_SAYS_EN = (
    r"\s+(?:refers?\s+to|means?\b|stands?\s+for|denotes?|describes?|is\s+defined\s+as|are\s+defined\s+as|"
    r"is\s+(?:short|an?\s+(?:acronym|abbreviation))\s+for|is\s+when)\s"
)
_DOES_EN = (
    r"\s+(?:(?:is|are)\s+(?:used|designed|meant|built|made)\s+(?:to|for)|allows?|lets?|enables?|provides?|helps?|"
    r"makes?\s+it|consists?\s+of|represents?|combines?|automates?|manages?|extends?|ensures?)\s"
)
_CALLED_EN = re.compile(
    r"(?:\b(?:called|known\s+as|named|termed|dubbed|referred\s+to\s+as)\s+(?:an?\s+|the\s+)?[\"'“‘]?)$"
)
# What follows the term as the sentence's subject, and how much of a definition that makes; the
# first that fits counts.
_RULES_EN = tuple(
    (score, re.compile(pattern))
    for score, pattern in (
        (0.4, _IS + r"(?:not|n't)"),
        (0.45, _IS + _HEDGE + _OPINION),
        (1.0, _IS + _HEDGE + _GENUS),
        (0.95, _SAYS_EN),
        (0.8, r"(?:,|\s+[—–-])\s+(?:an?|the)\s+\w"),
        (0.85, _IS + _HEDGE + _KIND_EN),
        (
            0.7,
            _IS + _HEDGE + r"(?:[a-z]{3,}\s+)?[a-z]{3,}(?:s|ed)\s+"
            r"(?:that|which|of|by|to|for|from|with|in)\b",
        ),
        (0.65, _IS + _HEDGE + r"[a-z]"),
        (0.65, _DOES_EN),
        (0.5, ""),
    )
)
_FIRST_PERSON = re.compile(r"\b(?:I|we|I'm|we're|my|our|you|your)\b", re.I)
_POINTS_BACK = re.compile(
    r"^(?:this|that|these|those|it|they|such|however|but|also|then|here)\b", re.I
)

_DEFINED_KO = re.compile(r"(?:\s*\([^)]{1,60}\))?\s*(?:이?란|이라는\s*것은|이?라\s*함은)\s")
TOPIC_KO = re.compile(
    r"(?:\s*\([^)]{1,60}\))?\s*(?:이?란|이라는\s*것은|이라\s*함은|라\s*함은|은|는)\s"
)
CALLED_KO = re.compile(
    r"(?:\s*\([^)]{1,60}\))?\s*(?:이?라고|이?라)\s*(?:한다|합니다|부른다|부릅니다|불린다|불립니다|해요|불러요)"
)
_SAYS_KO = re.compile(
    r"(?:말한다|말합니다|뜻한다|뜻합니다|의미한다|의미합니다|가리킨다|가리킵니다|일컫는다|일컫습니다|지칭한다|지칭합니다|"
    r"말해요|뜻해요|의미해요|가리켜요)[.!]?$"
)
_DOES_KO = re.compile(
    r"(?:제공한다|제공합니다|한다|합니다|해준다|해줍니다|해 준다|해 줍니다|된다|됩니다|있다|있습니다|해요|돼요|있어요)[.!]?$"
)
_GENUS_KO = re.compile(
    r"(?:것|도구|기술|방법|방식|기법|구조|패턴|시스템|플랫폼|언어|프레임워크|라이브러리|프로토콜|개념|과정|프로세스|아키텍처|"
    r"단위|소프트웨어|서비스|모델|성질|속성|능력|집합|형식|표준|규칙|함수|객체|컴포넌트|인터페이스|알고리즘|환경|접근법|모음)"
    r"(?:이다|입니다|이에요|예요|이며|이고|다)?[.!]?$"
)
_OPINION_KO = re.compile(
    r"^.{0,40}(?:문제|이유|질문|핵심|장점|단점|예|경우|때문|필수)(?:이다|입니다|이에요|예요)[.!]?$"
)


# What may stand before the name of a sentence's subject, and what is put in behind it.
_AROUND: dict[Language, tuple[re.Pattern[str], tuple[re.Pattern[str], ...]]] = {
    "en": (_BEFORE_EN, (re.compile(_BRACKET + _ASIDE), re.compile(_BRACKET))),
    "ko": (re.compile(r"(?:[^.,]{0,24}[,\s]\s*)?[\"'“‘]?"), (re.compile(r"[\"'”’]?"),)),
}


def definitional(sentence: str, names: Sequence[str], language: Language) -> float:
    """0 for a sentence that does not mention the term, up to 1 for "X is a …"."""
    found = list(mention(names).finditer(sentence))
    if not found:
        return 0.0
    length = count_words(sentence)
    if length < 4 or sentence.rstrip().endswith(("?", ":", "？")):
        return 0.05
    base = (_korean if language == "ko" else _english)(sentence, found)
    base -= 0.15 if length > (30 if language == "ko" else 45) else 0.0
    early = found[0].start() < 60
    return max(0.05, base - (0.0 if early else 0.05))


def ends_of_subject(sentence: str, named: re.Match[str], language: Language) -> list[int]:
    """Where the sentence goes on if the term is its subject, with what is put in behind the name and
    without; none where more than an article or a place stands before it."""
    before, behind = _AROUND[language]
    if before.fullmatch(sentence, 0, named.start()) is None:
        return []
    ends = (pattern.match(sentence, named.end()) for pattern in behind)
    return [end.end() for end in ends if end is not None]


def _english(sentence: str, found: Sequence[re.Match[str]]) -> float:
    ends = [end for named in found for end in ends_of_subject(sentence, named, "en")]
    scores = (score for score, rule in _RULES_EN if any(rule.match(sentence, end) for end in ends))
    score = next(scores, 0.25)
    if score < 0.75 and any(_CALLED_EN.search(sentence, 0, named.start()) for named in found):
        score = 0.75
    if _FIRST_PERSON.search(sentence) and score < 0.95:
        score -= 0.1
    return score - (0.1 if _POINTS_BACK.match(sentence) else 0.0)


def _korean(sentence: str, found: Sequence[re.Match[str]]) -> float:
    ends = [end for named in found for end in ends_of_subject(sentence, named, "ko")]
    if any(_DEFINED_KO.match(sentence, end) for end in ends):
        return 1.0
    if any(TOPIC_KO.match(sentence, end) for end in ends):
        if _OPINION_KO.search(sentence):
            return 0.45
        says = _SAYS_KO.search(sentence) is not None
        if says or _GENUS_KO.search(sentence.rstrip(".!")) or ends_with_copula(sentence):
            return 0.95
        return 0.6 if _DOES_KO.search(sentence) else 0.5
    return 0.8 if any(CALLED_KO.match(sentence, named.end()) for named in found) else 0.25


def follows_on(sentence: str, names: Sequence[str], language: Language) -> bool:
    """Whether a sentence goes on with the definition before it."""
    if sentence.rstrip().endswith(("?", ":", "？")):
        return False
    if language == "ko":
        starts = r"^(?:이는|이를|이것은|이렇게|이러한|그래서|따라서|즉|예를 들어|또한)\b"
        return bool(re.match(starts, sentence)) or mention(names).match(sentence) is not None
    starts = r"^(?:It|They|This|These|That is|In other words|For example|Instead|Each|Its|Their)\b"
    return bool(re.match(starts, sentence)) or bool(
        re.match(rf"^(?:An?\s+|The\s+)?(?:{mention(names).pattern})", sentence)
    )


def speaks(text: str) -> bool:
    """A sentence with words of its own, not a menu or a line of code."""
    own = [word for word in re.findall(r"[^\W\d_]+", text) if not is_stopword(word)]
    return len(own) >= 3 and sum(len(word) for word in own) >= len(text) * 0.25
