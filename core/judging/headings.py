"""What names an article and tells nothing of its matter: headings, frames, invitations.

"How to use X", "An overview of X", "Introducing X", "Learn how to use X" and "This post explains how to
use X" are true of any article about X. A small model likes to write them, and a digest has the title already.
"""

from __future__ import annotations

import re

_HEADING = re.compile(r"(?:how|why) |learn (?:how|about) |what (?!\w+ (?:is|are|does)\b)", re.I)
_FRAME = re.compile(
    r"^(?:(?:an?|the|some|our|this) )?(?:[\w/'’-]+,? ){0,4}?(?:overview|introduction|guide|explanation|look|dive|deep-dive|"
    r"summary|list|tutorial|description|reference|round[- ]?up|recap|tour|walk-?through|collection|instructions|guidelines|"
    r"practices|answers|questions|details|story|notes|tips|documentation|definitions|updates?|examples?|information)\b"
    r"(?: (?:of|to|for|about|at|on|in|from|and|into)\b|:|$)",
    re.I,
)
_INVITES = re.compile(
    r"^(?:learn|discover|use|configure|explore|find|get|create|make|see|understand|meet|follow|deploy|allow|add|install|"
    r"enable|integrate|automate|write|read|take|try|manage|improve|reduce|avoid|ensure|generate|adapt|send|troubleshoot|"
    r"extend|develop|apply|handle|embed|debug|define|extract|identify|inspect|let|optimi[sz]e|prepare|prevent|protect|"
    r"provide|publish|restrict|scale|serve|simulate|specify|upgrade|securely|automatically|easily|don['’]t|never|always|keep|give)\b",
    re.I,
)
# Words that are things as often as orders: "Access control lists are …", "Access the list …".
_INVITES_TO = re.compile(
    r"^(?:access|build|check|design|display|experiment|help|highlight|import|look|measure|monitor|move|override|process|"
    r"register|report|review|rotate|run|secure|set|show|speed|split|start|step|store|support|test|track|view) "
    r"(?:up|the|an?|your|our|its|their|these|this|all|any|and|how|whether|why|what|out|into|over|with|at)\b",
    re.I,
)
# "Announcing X" is nobody's doing; "Scaling X is hard" is a sentence.
_UNDONE = re.compile(
    r"^(?:announcing|introducing|presenting|celebrating|welcoming)\b|^\w+ing\b(?!.*\b(?:is|are|was|were|has|have|can|may|will|should|must|makes|requires|needs|helps|lets|allows|takes|"
    r"becomes|means|gives|leads|causes|costs)\b)",
    re.I,
)
# "Explains how to use X", "This guide will help you to use X": a heading with a verb before it.
_DESCRIBES = re.compile(
    r"^(?:describes|discusses|explains|introduces|shows|covers|outlines|lists|details|demonstrates|highlights|explores) |"
    r"^(?:in )?(?:this|the) (?:[\w-]+ )?(?:article|post|guide|page|document|tutorial|section|chapter|topic|overview),? (?:(?:will|can|also) )?"
    r"(?:describes?|explains?|shows?|discusse?s?|outlines?|covers?|details?|walks?|helps?|teache?s?|demonstrates?|you|we|gets?)\b"
    r"(?=.*\b(?:how|the (?:steps|process|use)|you)\b)",
    re.I,
)
_PATTERNS = (_HEADING, _FRAME, _INVITES, _INVITES_TO, _UNDONE, _DESCRIBES)


def is_heading(sentence: str) -> bool:
    """Of English only: the model writes no other language."""
    return any(pattern.match(sentence) for pattern in _PATTERNS)


# Whatever could be the verb of a sentence, in any form but "-ing": to be lenient is safe here.
_STEMS = (
    r"accept|access|achiev|act|add|address|affect|allow|announc|appl|ask|automat|avoid|becom|begin|behav|block|break|bring|"
    r"build|call|caus|chang|collect|com|combin|compar|connect|consist|contain|continu|cost|cover|creat|decid|defin|deliver|"
    r"demonstrat|depend|deploy|deprecat|describ|detect|determin|develop|discuss|enabl|ensur|evaluat|execut|exist|expect|"
    r"explain|export|expos|extend|fail|featur|fix|follow|gain|generat|get|giv|go|grow|handl|happen|help|hold|identif|"
    r"implement|improv|includ|integrat|introduc|investigat|keep|land|launch|lead|learn|let|leverag|load|mak|manag|matter|"
    r"mean|measur|need|offer|open|optimi[sz]|outperform|perform|play|point|predict|present|prevent|proces|produc|propos|"
    r"protect|provid|receiv|reduc|releas|remain|remov|replac|report|represent|requir|return|run|scal|see|send|serv|set|ship|"
    r"show|simplif|solv|specif|start|stop|stor|stud|suffer|support|tak|tell|tend|track|train|transform|treat|tr|turn|updat|"
    r"us|want|work|writ|yield"
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|be|been|has|have|had|can|could|will|would|may|might|must|should|does|do|did|cannot|"
    r"[a-z]+['’](?:re|ve|ll|d|t)|(?:it|that|there|here|what)['’]s|(?:"
    + _STEMS
    + r")(?:e|y|s|es|ies|ed|ied|t)?|"
    r"came|brought|made|built|found|went|became|began|broke|wrote|took|gave|got|kept|led|ran|saw|put|"
    r"[a-z]{2,}(?:ed|ies|izes|ises|ates|ifies))\b|"
    # what nobody lists: "elects a leader", "automatically picks", "pods restart when"
    r"^(?:we|you|they|it|i) |"
    r"\b[a-z]{2,}s (?:an?|the|its|their|your|our|each|every|all|any|no|one|two|both|at (?:least|most)|itself|more|only|up|out|down|when|if|how|that|which|to)\b|"
    r"\b[a-z]{2,}ly [a-z]+\b|\b[a-z]{3,} (?:when|if|because|unless|until|whenever)\b",
    re.I,
)


def is_fragment(sentence: str) -> bool:
    """Whether an English one has no verb: "Low-latency techniques in Flink." People say so of papers,
    and under a post's title it tells nothing."""
    return _VERB.search(sentence) is None
