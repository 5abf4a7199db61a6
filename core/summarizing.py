"""A text in as few words as its kind asks for: one line, or a short abstract.

    cut | rank sentences | draft (model) | candidates | choose

What the model drafts stands for election beside the title and the article's own sentences; it
wins where it is likelier to be what a person would have written. How long the answer is follows
from what the text is: a proposal or a paper has an abstract, a post or a page has one line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from core.article import Article, Language
from core.chunks import Document, Sentence, cut
from core.judging.faithful import Evidence
from core.judging.forest import Rows
from core.judging.gist import gist, rank, shown
from core.judging.headline import candidates, choose
from core.judging.kinds import SHORT, is_paper, is_proposal, kind_of
from core.judging.salience import weigh
from core.ports import Engine, Generation, Searcher
from core.prompts import summary as summary_prompt

# Beams for the likeliest sentences, and a plain one that differs where they grow dull.
BEAMS = Generation(max_new_tokens=56, beams=4, length_penalty=1.0, no_repeat_ngram=3)
PLAIN = Generation(max_new_tokens=56, no_repeat_ngram=3, repetition_penalty=1.1)
# Words of an abstract. The median of those that authors write of proposals is 52.
_ABSTRACT_WORDS = 70
# Of a proposal that is hardly longer than an abstract: 26 in the median.
_SHORT_ABSTRACT_WORDS = 40


class Summarizer:
    """`engine` is the product's own; a language that it does not write is answered without it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def summarize(self, title: str, content: str, language: Language | None = None) -> str:
        """ "" for a text without a sentence. Raises EngineFailed with its kin."""
        article = Article(content=content, title=title or None, language=language)
        document = await asyncio.to_thread(cut, article, 330)
        if not document.sentences:
            return ""
        ranks = await asyncio.to_thread(rank, document)
        drafts = await self.drafts(document, ranks)
        words = abstract_words(document)
        if words:
            return await asyncio.to_thread(_abstract, document, ranks, drafts, words)
        return await asyncio.to_thread(_line, document, ranks, drafts)

    async def drafts(self, document: Document, ranks: Rows) -> list[str]:
        """What the model makes of the best sentences; [] where it does not know the language."""
        if document.language not in self._engine.writes:
            return []
        text = shown(document, ranks)
        kind = kind_of(document)
        prompt = summary_prompt.render(document.title, text, document.language, 1, kind=kind)
        replies = [await self._engine.generate(prompt, PLAIN)]
        if isinstance(self._engine, Searcher):
            replies = [*await self._engine.search(prompt, BEAMS), *replies]
        return drafts_of(replies, document.language)

    async def summarize_dialogue(
        self, title: str, turns: Sequence[tuple[str, str]], language: Language | None = None
    ) -> str:
        """Who said the weightiest things, in the order of the talk (blueprint B21)."""
        lines = [f"{speaker}: {text}" for speaker, text in turns if text.strip()]
        content = "\n\n".join(lines)
        if not content:
            return ""
        article = Article(content=content, title=title or None, language=language)
        document = await asyncio.to_thread(cut, article, 330)
        if not document.sentences:
            return "\n".join(lines[:2])
        weighed = await asyncio.to_thread(weigh, document)
        words = min(80, max(18, document.words // 8))
        scores = rank(document, weighed)
        chosen = gist(document, scores, words=words)
        return " ".join(_attributed(document.sentences[i], lines) for i in chosen)


def drafts_of(replies: Sequence[str], language: Language) -> list[str]:
    """The first sentence of each reply, none twice."""
    found = [summary_prompt.parse(reply, language)[:1] for reply in replies]
    return list(dict.fromkeys(sentence for one in found for sentence in one))


def abstract_words(document: Document) -> int:
    """How many words an abstract of this text has; 0: one line is enough."""
    if document.language == "ko":
        # a news report or an essay without structure: three sentences
        bare = not document.headings and not document.code and document.words > SHORT
        return 45 if bare else 0
    if document.words <= SHORT:
        return _SHORT_ABSTRACT_WORDS if is_proposal(document) else 0
    return _ABSTRACT_WORDS if is_proposal(document) or is_paper(document) else 0


def _line(document: Document, ranks: Rows, drafts: Sequence[str]) -> str:
    best = choose(document, ranks, candidates(document, ranks, drafts))
    return best.text if best else ""


def _abstract(document: Document, ranks: Rows, drafts: Sequence[str], words: int) -> str:
    """The model's sentence where the article bears it out, then the article's best ones."""
    evidence = Evidence(document)
    borne = [d for d in drafts if evidence.support(d).score >= 0.75]
    opening = borne[0] if borne else ""
    room = words - len(opening.split())
    found = gist(document, ranks, words=max(20, room))
    own = [document.sentences[i].text for i in found]
    return " ".join([opening, *own]).strip()


def _attributed(sentence: Sentence, lines: Sequence[str]) -> str:
    """The sentence with its speaker, who is named at the beginning of a turn only."""
    for line in lines:
        if sentence.text in line and not line.startswith(sentence.text):
            speaker = line.split(":", 1)[0]
            return f"{speaker}: {sentence.text}"
    return sentence.text
