"""Whether what was found speaks of what was asked: the evidence of each passage, 0 to 1.

A question that names something is not answered by passages that never mention it, however many
of its other words they share. Passages with orders to a model in them go last and never reach it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from core.judging.definitions import definitional
from core.judging.explanations import called
from core.judging.instructions import addresses_a_model
from core.judging.names import meanings, mention
from core.language import sentences
from core.library import Passage
from core.retrieval.questions import Question

# Set by hand; tests/benchmarks/bench_explain.py measures them.
_COVERED, _MEANING = 0.7, 0.3
_UNREAD = 0.8
_UNDEFINED = 0.4  # what is left where nothing says what the thing is that is asked for
_UNNAMED = 0.5  # what is left of the evidence where nothing names what the question names


@dataclass(frozen=True, slots=True)
class Weighed:
    """`clean`: the passage without sentences that give orders to a model; `suspicious`: it had
    some. `covered`: which share of the question's words it has, its title included."""

    passage: Passage
    clean: str
    suspicious: bool
    covered: float
    evidence: float


def weigh(question: Question, passages: Sequence[Passage]) -> list[Weighed]:
    """Best first, the suspicious ones last."""
    found = [_weighed(question, passage) for passage in passages]
    found = [one for one in found if one.clean]
    return sorted(found, key=lambda one: (one.suspicious, -one.evidence))


def _weighed(question: Question, passage: Passage) -> Weighed:
    texts = sentences(passage.text, passage.language)
    clean = [text for text in texts if not addresses_a_model(text)]
    title = passage.title or ""
    covered = question.covered(f"{title}. {' '.join(clean)}")
    if passage.language != question.language:
        # other words for the same: then only the library's own measure says how near it is
        covered = max(covered, passage.parts.covered)
    # nothing is near in meaning to what the encoder does not read: then words stand in for it
    meaning = passage.parts.meaning if passage.parts.meaning > 0 else _UNREAD * covered
    evidence = _COVERED * covered + _MEANING * meaning
    everything = f"{title}\n{passage.text}"
    if any(mention(names).search(everything) is None for names in question.names):
        evidence *= _UNNAMED
    evidence *= _UNDEFINED + (1 - _UNDEFINED) * _defined(question, passage, clean)
    return Weighed(passage, " ".join(clean), len(clean) < len(texts), covered, evidence)


def _defined(question: Question, passage: Passage, clean: Sequence[str]) -> float:
    """How far a passage says what is asked for where only that is asked, 0 to 1."""
    if not question.term:
        return 1.0
    names = [question.term, *(name for one in meanings(question.term) for name in one.names)]
    if called(passage.title or "", names):
        return 1.0
    return max((definitional(one, names, passage.language) for one in clean), default=0.0)
