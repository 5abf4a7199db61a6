"""Which of the things that authors say of their articles are like a digest's sentences.

"An overview of X", "Learn how to use X" and "Introducing X" name what an article does and tell nothing
of its matter; a model that learns them writes what the service then drops.
"""

from __future__ import annotations

import re

from core.chunks import Document
from core.drafting import tells_more
from core.judging.faithful import Evidence
from core.judging.headings import is_heading
from core.judging.standing import alone

# A digest is not the author.
_FIRST_PERSON = re.compile(r"\b(?:we|our|ours|us|I|my|me)\b|\b(?:we|I)['’]", re.I)
# That somebody does something, or that something is so.
_TELLS = re.compile(
    r"\b(?:is|are|was|were|has|have|had|can|could|will|would|may|might|must|should|does|do|did|isn['’]t|aren['’]t|"
    r"doesn['’]t|don['’]t|can['’]t|cannot|now|"
    r"(?:allow|enabl|introduc|provid|add|com|bring|featur|support|mak|let|help|us|work|offer|giv|improv|includ|ship|"
    r"describ|explain|show|cover|discuss|propos|present|reduc|replac|extend|simplif|contain|creat|run|need|requir|"
    r"chang|fix|remov|caus|tak|go|get|becom|mean|turn|unlock|behav|defin|handl|automat|launch|releas|announc|"
    r"deprecat|deliver|implement|return|catch|prevent|protect|solv|speed|land|start|begin|build|keep|deserv|"
    r"influenc|affect|matter|cost|fail|break|set|report|collect|export|integrat|combin|compar|gather|gain|grow|"
    r"learn|lead|play|rel|remain|represent|serv|specif|tell|want|address|appl|arriv|ask|block|call|"
    r"happen|load|measur|open|point|proces|produc|receiv|see|send|stop|stor|track|transform|updat|writ)"
    r"(?:s|es|ies|ed|ied)|came|brought|made|built|found|went|became|began|broke|wrote|took|gave|got|kept|led|ran|saw)\b",
    re.I,
)
# How far one passage must say a statement; the service asks more (`digest.min_together`).
_TOGETHER = 0.35


def stands(document: Document, said: str, *, most: float = 1.0) -> bool:
    """Whether the service would show it of this article: it tells something of the matter by
    itself, in nobody's voice, and the article bears it out. `most`: how far (0-1) one passage may
    say it already."""
    if not (tells(said) and alone(said) and tells_more(said, document)):
        return False
    support = Evidence(document).support(said)
    return support.holds(together=_TOGETHER) and support.together <= most


def tells(said: str) -> bool:
    """Whether it is a sentence about something, by nobody and to nobody."""
    return not (is_heading(said) or _FIRST_PERSON.search(said)) and _TELLS.search(said) is not None
