"""Whether one sentence under a term says what the term is, with nothing around it.

`/explain` shows the best of several sentences with their articles beside them; a digest shows one
sentence and no more, so a wrong one is worse than none. Beyond the score (`definitions`) it must
speak of the term itself and no narrower one ("마이너 릴리즈는" is not "릴리즈"), not explain it by
itself ("a framework for the Qt environment"), and neither judge, tell a story nor give a reason.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from core.article import Language
from core.judging.definitions import CALLED_KO, TOPIC_KO, definitional, ends_of_subject
from core.judging.names import mention
from core.judging.standing import points

# "X is a …" has 1.0, a long sentence 0.15 less. Uses and verdicts ("X allows …") have 0.7 at most.
PLAIN = 0.8

# "In this example, X is a …": true of the X at hand.
_AT_HAND_EN = re.compile(
    r"our\b|(?:in|for|with|at|within)\s+(?:(?:this|that|these|our|my|an?|the)\s+)?"
    r"(?:above|following|previous|example|case|code|snippet)\b|(?:in|for|with|at|within)\s+(?:this|our|my)\b",
    re.I,
)
# Not what it is, but what it was, or is besides: "Boxy is also a contributor".
_NOT_NOW_EN = re.compile(
    r"\s+(?:was|were|will)\b|\s+(?:is|are)\s+(?:also|already|still|now|currently)\b"
)
_CLAUSE_EN = re.compile(r"[,;:—]|\s(?:that|which|who|so|and)\s")

_LEAD_KO = re.compile(
    r"(?:(?:[^.,]{1,24},|(?:[가-힣A-Za-z]+\s)?[가-힣A-Za-z]+에서는?|[가-힣A-Za-z]+[와과]\s달리)\s+)?[\"'“‘]?"
)
_AT_HAND_KO = re.compile(
    r"(?:즉|따라서|그래서|하지만|그러나|그리고|또한|특히|결국|그런데|그러므로|반면|다만|물론|이때|여기|예시|예제|예를|"
    r"위|아래|이|그|저|우리|저희|지금|현재|다음)(?:에서는?|에|의|는|와|러한|런|렇게|를|것을?)?[\s,]"
)
_CALLED_AFTER_KO = re.compile(
    r"(?:것|과정|방법|방식|기술|기법|구조|상태|단위|현상|개념|행위|작업|문제|함수|객체|코드)[을를]\s+[\"'“‘]?$"
)
_END_KO = r"(?:이다|입니다|이에요|예요|이며|이고|다)?[.!]?$"
_NO_GENUS_KO = re.compile(
    rf"(?:(?:때문|예정|정도|이유|문제|질문|핵심|장점|단점|경우|필수|목표|단계|이상|적|\s(?:뿐|점|셈|편|예|중))"
    rf"|(?:[다라]는|[^는])\s*것){_END_KO}"
)
_TELLS_KO = re.compile(
    r"[었였](?:다|습니다|고|으며|지만)|때문|이상이며|(?:아직|여전히)\s|가장\s(?:먼저|중요|좋|많|흔|인기|유명|쉬|쉽|기본적|널리)|[=≈]|[라다]고\s*(?:말|얘기|이야기)"
    r"|(?:좋은|훌륭한|나쁜|최고의|최선의|중요한|유용한|권장되는)\s+\S+$"
)


def defines(sentence: str, names: Sequence[str], language: Language) -> bool:
    if definitional(sentence, names, language) < PLAIN or points(sentence):
        return False
    says = _korean if language == "ko" else _english
    return any(says(sentence, found) for found in mention(names).finditer(sentence))


def _english(sentence: str, named: re.Match[str]) -> bool:
    ends = ends_of_subject(sentence, named, "en")
    if not ends or _AT_HAND_EN.match(sentence):
        return False
    # "The second is a …": with an article, an ordinary noun is the one spoken of just before
    name = named.group()
    if re.match("the ", sentence, re.I) and name.isalpha() and name.islower():
        return False
    rest = sentence[ends[0] :]
    clause = _CLAUSE_EN.split(rest, maxsplit=1)[0]
    return not _NOT_NOW_EN.match(rest) and named.re.search(clause) is None


def _korean(sentence: str, named: re.Match[str]) -> bool:
    if _AT_HAND_KO.match(sentence):
        return False
    if _CALLED_AFTER_KO.search(sentence, 0, named.start()):
        return CALLED_KO.match(sentence, named.end()) is not None
    topic = next(
        (TOPIC_KO.match(sentence, end) for end in ends_of_subject(sentence, named, "ko")), None
    )
    if topic is None or _LEAD_KO.fullmatch(sentence, 0, named.start()) is None:
        return False
    rest = sentence[topic.end() :]
    return not (named.re.search(rest) or _NO_GENUS_KO.search(rest) or _TELLS_KO.search(rest))
