"""What the model writes of an article: a sentence for each part, and terms.

The model is shown the best sentences of a part, a third of its words: most of what it is about at
a third of the waiting, and what it was taught to condense.

It is a draft: nothing here is checked yet. The caller compares it with the article.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import cached_property

from core.article import Language
from core.chunks import Document, Part
from core.judging.facts import Known
from core.judging.forest import Rows
from core.judging.gist import shown
from core.judging.headings import is_fragment, is_heading
from core.judging.kinds import TextKind
from core.judging.salience import Weighed
from core.judging.standing import unframed
from core.judging.terms import Explained
from core.language import count_words, words
from core.ports import Engine, Generation, Prompt
from core.progress import Drafting
from core.prompts import judgement as judgement_prompt
from core.prompts import summary as summary_prompt
from core.prompts import term as term_prompt
from core.prompts.judgement import Judgement
from core.settings import DigestSettings

# Tokens for one sentence, 30 words and a little.
_SENTENCE = 48
# A title in other order, or with a verb to it, is no summary; in a frame it needs more to be one.
_NEW_WORDS, _NEW_IN_A_FRAME = 2, 3
# By which a text speaks of itself: "This article describes", and then the title.
_OF_ITSELF: dict[Language, str] = {
    "en": "article paper post proposal document page tutorial guide pep rfc describe discuss introduce "
    "present explain explore propose cover give overview description",
    "ko": "글 문서 페이지 장 설명 소개 다루",
}
# "A new look at chaos theory." says nothing yet.
_LEAST_WORDS = 7
_TWICE = re.compile(r"\b(\w+) \1\b", re.I)
# Tokens for a reason, a level and two lists of names.
_JUDGEMENT = 240
# Terms that the model is asked for when neither the article nor the glossary explains enough.
_ASKED_TERMS = 2


class Draft:
    """What the model writes of one article. `ranks`: core.judging.gist.rank."""

    def __init__(
        self,
        engine: Engine,
        options: Generation,
        settings: DigestSettings,
        document: Document,
        weighed: Weighed,
        ranks: Rows,
        kind: TextKind = "article",
    ) -> None:
        self.engine = engine
        self.options = options
        self.settings = settings
        self.document = document
        self.ranks = ranks
        self.kind = kind
        self.able = document.language in engine.writes
        self.parts = chosen_parts(document.parts, weighed, settings.max_parts) if self.able else []
        self.written: dict[int, list[str]] = {}
        self.terms: dict[str, str] = {}
        self.judgement = Judgement()
        self.seen_words = 0

    @property
    def complete(self) -> bool:
        """Whether every part has a sentence of the model's."""
        return len(self.parts) == len(self.document.parts)

    @property
    def share(self) -> float:
        """Share (0-1) of the article's words in sentences that the model was shown."""
        total = sum(part.words for part in self.document.parts)
        return min(1.0, self.seen_words / total) if total else 0.0

    async def write(
        self, keywords: Sequence[str], explained: Sequence[Explained]
    ) -> AsyncGenerator[Drafting, None]:
        """The first part is streamed, so that there is something to read; the rest go together."""
        if not self.parts:
            return
        first, *rest = self.parts
        reply = ""
        async with aclosing(self._stream(first)) as pieces:
            async for piece in pieces:
                reply += piece
                yield Drafting(first, piece)
        self.written[first] = self._parse(reply)
        asked = self._unexplained(keywords, explained)
        replies, self.judgement = await asyncio.gather(
            asyncio.gather(
                *(self._generate(part) for part in rest), *(self._explain(term) for term in asked)
            ),
            self.judge(),
        )
        for part, text in zip(rest, replies, strict=False):
            self.written[part] = self._parse(text)
            yield Drafting(part, text)
        for term, text in zip(asked, replies[len(rest) :], strict=True):
            meaning = term_prompt.parse(text, term, self.document.language)
            if meaning is not None:
                self.terms[term] = meaning

    @property
    def _options(self) -> Generation:
        return replace(self.options, max_new_tokens=min(_SENTENCE, self.options.max_new_tokens))

    def _stream(self, part: int) -> AsyncGenerator[str, None]:
        return self.engine.stream(self._prompt(part), self._options)

    async def _generate(self, part: int) -> str:
        return await self.engine.generate(self._prompt(part), self._options)

    def _prompt(self, part: int) -> Prompt:
        """Title and the part's best sentences, as the model was taught."""
        inside = self.document.parts[part]
        gist = shown(self.document, self.ranks, range(inside.start, inside.end))
        text = self._fitting(gist or inside.text)
        # what does not fit is not counted as seen
        self.seen_words += count_words(text)
        title, language = self.document.title, self.document.language
        whole = self.kind != "article" or len(self.document.parts) == 1
        matter: summary_prompt.Matter = self.kind if whole else "section"
        return summary_prompt.render(title, text, language, 1, kind=matter)

    async def judge(self) -> Judgement:
        """Of the best sentences of the whole article; nothing where the model is not to judge."""
        if self.settings.judge != "model":
            return Judgement()
        gist = self._fitting(shown(self.document, self.ranks))
        prompt = judgement_prompt.render(self.document.title, gist, self.document.language)
        options = Generation(max_new_tokens=_JUDGEMENT, schema=judgement_prompt.SHAPE.schema)
        return judgement_prompt.parse(await self.engine.generate(prompt, options))

    def _parse(self, reply: str) -> list[str]:
        """The first sentence, where it is one and says more than the title that stands above it."""
        found = summary_prompt.parse(reply, self.document.language)[:1]
        return [self._known.respelled(one) for one in found if self._tells(one)]

    def _tells(self, sentence: str) -> bool:
        return (
            len(sentence.split()) >= _LEAST_WORDS
            and not is_heading(sentence)
            # the verbs are English ones
            and not (
                self.kind == "article" and self.document.language == "en" and is_fragment(sentence)
            )
            and tells_more(sentence, self.document)
            and not self._stutters(sentence)
        )

    def _stutters(self, sentence: str) -> bool:
        """ "The Go Go team": a word twice, as it stands nowhere in the article."""
        found = _TWICE.search(sentence)
        return found is not None and found.group().lower() not in self.document.prose.lower()

    @cached_property
    def _known(self) -> Known:
        return Known(f"{self.document.title}\n{self.document.prose}")

    def _fitting(self, text: str) -> str:
        """The text as far as it fits the model."""
        room = self.engine.context_tokens - self.options.max_new_tokens - 160
        room -= self.engine.count_tokens(self.document.title)
        while self.engine.count_tokens(text) > room and text:
            # by halves of what is too much: a part without spaces may be ten times too long
            keep = max(1, int(len(text) * min(0.9, room / self.engine.count_tokens(text))))
            text = text[:keep] if room > 0 else ""
        return text

    def _unexplained(self, keywords: Sequence[str], explained: Sequence[Explained]) -> list[str]:
        """Keywords that still lack an explanation, when there are too few terms."""
        known = " ".join(t.term.lower() for t in explained)
        room = max(0, min(_ASKED_TERMS, self.settings.terms - len(explained)))
        named = [n for n in keywords if " " in n or any(c.isupper() for c in n)]
        return [name for name in named if name.lower() not in known][:room]

    async def _explain(self, term: str) -> str:
        mine = [s.text for s in self.document.sentences if term.lower() in s.text.lower()]
        text = self._fitting(" ".join(mine[:4])[:1500])
        prompt = term_prompt.render(term, text, self.document.language)
        return await self.engine.generate(prompt, self._options)


def tells_more(sentence: str, document: Document) -> bool:
    """Whether it has words of content enough that neither the title has nor any text might say
    of itself."""
    language = document.language
    known = set(words(f"{document.title} {_OF_ITSELF[language]}", language))
    least = _NEW_WORDS if unframed(sentence) == sentence else _NEW_IN_A_FRAME
    return len(set(words(sentence, language)) - known) >= least


def chosen_parts(parts: Sequence[Part], weighed: Weighed, count: int) -> list[int]:
    """Indices of the parts the model drafts: the first, and those with the weightiest sentences."""
    if len(parts) <= count:
        return list(range(len(parts)))

    def weight(index: int) -> float:
        part = parts[index]
        best = sorted(
            (s for s in weighed.scores[part.start : part.end] if s > float("-inf")), reverse=True
        )
        return sum(best[:3])

    others = sorted(range(1, len(parts)), key=lambda i: (-weight(i), i))[: count - 1]
    return sorted([0, *others])
