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
    r"provide|publish|restrict|serve|simulate|specify|upgrade|securely|automatically|easily|don['’]t|never|always|keep|give)\b",
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
