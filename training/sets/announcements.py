"""Articles that say themselves what they are about: "In this tutorial you will learn how to ...".

People who wrote a one-line description of an article of theirs are few in the data sets; articles
whose own text announces what it does are many. The announcement becomes the answer, in the words
of a description ("How to ..."), and is taken out of the text that the model is shown.
"""

from __future__ import annotations

import re

from core.chunks import Document

# An announcement stands among an article's first sentences.
_AMONG = 25
_LEAST, _MOST = 8, 40
_WHAT = (
    r"(?:blog post|post|article|tutorial|guide|page|document|lab|learning path|codelab|"
    r"walkthrough|workshop)"
)
_TELLS = (
    r"(?:explain|show|describe|introduce|demonstrate|cover|discusse?|present|walk|teache?|detail|"
    r"outline|illustrate)"
)
_DOES = (
    r"(?:build|create|deploy|set up|install|configure|write|use|run|learn|explore|develop|"
    r"implement|compare|measure|port|migrate|connect|automate|benchmark)"
)
_SUBJECT = r"(?:we|you)(?:'ll| will| are going to)"
_IT_TELLS = re.compile(
    rf"^this {_WHAT} (?:will )?(?P<verb>{_TELLS})s? (?:(?:you|the reader) )?(?:through )?"
    r"(?P<what>.+)$",
    re.I,
)
_WE_TELL = re.compile(
    rf"^in this {_WHAT},? {_SUBJECT} (?:learn|see|look at|{_TELLS}|find out) (?:about )?"
    r"(?P<what>(?:how to|how|what|why)\b.+)$",
    re.I,
)
_YOU_DO = re.compile(rf"^in this {_WHAT},? {_SUBJECT} (?P<what>{_DOES} .+)$", re.I)
_QUESTION = re.compile(r"^(?:how|what|why|when|where)\b", re.I)
# Says nothing where the text around it is gone; and "we" is not the voice of a description.
_POINTS = re.compile(
    r"\b(?:following|below|above|previous|next|here|these|those|earlier|we|our)\b", re.I
)


def announced(document: Document) -> tuple[int, str] | None:
    """The index of the sentence, and what it says as a description; None where there is none."""
    for index, sentence in enumerate(document.sentences[:_AMONG]):
        said = _described(" ".join(sentence.text.split()))
        if said and _LEAST <= len(said.split()) <= _MOST and not _POINTS.search(said):
            return index, said
    return None


def _described(sentence: str) -> str:
    if found := _WE_TELL.match(sentence) or _YOU_DO.match(sentence):
        return _upper(found["what"])
    if found := _IT_TELLS.match(sentence):
        what = found["what"]
        if _QUESTION.match(what):
            return _upper(what)
        return f"This article {_third(found['verb'].lower())} {what}"
    return ""


def _third(verb: str) -> str:
    """`walk` has lost the word that goes with it."""
    verb = {"walk": "describe", "discus": "discuss"}.get(verb, verb)
    return verb + ("es" if verb.endswith(("ss", "ch")) else "s" if not verb.endswith("s") else "")


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
