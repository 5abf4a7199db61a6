"""What kind of text this is, told from the text itself: a paper, a proposal, or an article.

A model that was taught on papers and proposals takes their voice for posts, too, where nobody
tells it which is which: "This PEP proposes a new design for the homepage".
"""

from __future__ import annotations

import re
from typing import Literal

from core.article import SourceType
from core.chunks import Document

TextKind = Literal["paper", "proposal", "article"]

# A text this short is an abstract itself.
SHORT = 420
_SECTION = re.compile(
    r"\b(?:motivation|rationale|specification|drawbacks|alternatives|unresolved questions|"
    r"backwards? compatibility|reference-level explanation|rejected ideas)\b",
    re.I,
)
# A post may well speak of a proposal; only a PEP calls itself one.
_NAMED = re.compile(r"\b(?:[Tt]his|[Tt]he present) (?:PEP|RFC)\b")
_PROPOSAL = re.compile(r"\b(?:this|the present) (?:PEP|RFC|proposal)\b", re.I)
_NUMBERED = re.compile(r"^(?:PEP|RFC)[ -]?\d+\b")
_PAPER = re.compile(r"\bet al\.|\bwe propose\b|\[\d+\]|\bour (?:model|approach|method)\b", re.I)
_ABSTRACT = re.compile(
    r"\b(?:we|this paper|this work|in this (?:paper|work))\s+(?:also |then |further |first )?"
    r"(?:propose|present|introduce|show|demonstrate|study|investigate|develop|describe|explore|"
    r"prove|find|analy[sz]e|evaluate|address|provide|consider|derive|design|report|apply)s?\b|"
    r"\bour (?:model|approach|method|results|experiments|algorithm|framework|analysis|work)\b|"
    r"\bstate[- ]of[- ]the[- ]art\b|\bet al\.",
    re.I,
)


def is_proposal(document: Document) -> bool:
    said = len(_PROPOSAL.findall(document.prose)) >= 2 or _NAMED.search(document.prose)
    numbered = _NUMBERED.match(document.title or "")
    return bool(said or numbered or any(_SECTION.search(one) for one in document.headings))


def is_paper(document: Document) -> bool:
    """Of a whole paper; see `kind_of` for an abstract."""
    return len(_PAPER.findall(document.prose)) >= 3 and not document.code


def kind_of(document: Document, source_type: SourceType = "blog") -> TextKind:
    """`source_type`: what is known of where it stands."""
    if source_type == "paper" or is_paper(document):
        return "paper"
    if is_proposal(document):
        return "proposal"
    bare = document.words <= SHORT and not document.headings and not document.code
    return "paper" if bare and _ABSTRACT.search(document.prose) else "article"
