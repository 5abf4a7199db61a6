"""The product as it is measured: for each task the code that people's digests come from.

A system gets what `Shown` shows and nothing else. Engine and encoder are opened when a task
first needs one; a task that needs neither starts at once.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import platformdirs

from core.article import Article, Page
from core.chunks import Document, cut
from core.drafting import Draft
from core.errors import DigestError, EngineFailed, SettingsError
from core.judging.faithful import Evidence
from core.judging.gist import rank
from core.judging.keywords import keywords, likely, ranked
from core.judging.opinion import checked, joined, together
from core.judging.prerequisites import prerequisites
from core.judging.salience import weigh
from core.judging.terms import explained
from core.ports import Generation
from core.prompts.judgement import Judgement
from core.settings import DigestSettings, ModelSettings, RetrievalSettings, WebSettings
from core.summarizing import Summarizer
from training.evaluating.items import Doc, Shown, TaskName, documents

if TYPE_CHECKING:
    from core.ports import Encoder, Engine, Vectors

Prediction = str | list[str] | float
Predict = Callable[[Shown], Awaitable[Prediction]]
By = Literal["measures", "model", "model alone"]

_PART_WORDS = DigestSettings().part_words
# How many names a digest could show at most, and what F1@10 looks at.
_NAMES = 10
_RANKED = 100
# For an article of which a model gave no level.
_MIDDLE = 3.0
# Nobody waits for a measurement: a machine that is busy or was put to sleep costs no answer.
_PATIENT: dict[str, Any] = {"timeout": 3600.0}
# A page does not show what its author's highlighter is told.
_FENCE = re.compile(r"^(```|~~~~)[\w+#.]+$", re.M)
_ENGINES = ("embedded", "echo", "gptq", "openai")


@dataclass
class Resources:
    """What systems need from outside. `engine`: embedded, echo, gptq, openai, or the folder of a
    model; a folder is CTranslate2's where model.bin lies in it, else a checkpoint for gptq. `by`: who
    judges keywords, prerequisites and difficulty, as in `digest.judge`; "model alone" leaves out
    what was measured."""

    engine: str = "embedded"
    docs: Path | None = None
    adapter: Path | None = None
    wheels: Path | None = None
    by: By = "measures"
    _opened: tuple[Engine, Encoder] | None = field(default=None, repr=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def both(self) -> tuple[Engine, Encoder]:
        """Raises ModelNotReady, SettingsError."""
        from core.engine.choose import open_engine

        async with self._lock:
            if self._opened is None:
                self._opened = await open_engine(self.settings(), data_dir())
            return self._opened

    async def encoder(self) -> Encoder:
        """The encoder alone: without the generator, which takes seconds and hundreds of MB."""
        if self._opened is not None:
            return self._opened[1]
        if self.engine == "echo":
            return (await self.both())[1]
        from core.engine.encoder import CTranslate2Encoder
        from core.engine.prepare import prepare_encoder

        prepared = await prepare_encoder(data_dir(), wheels=self.wheels)
        return await asyncio.to_thread(CTranslate2Encoder, prepared.encoder)

    def settings(self) -> ModelSettings:
        if self.engine in _ENGINES:
            name = "ctranslate2" if self.engine == "embedded" else self.engine
            more = {"engine": name, "adapter": self.adapter, "wheels": self.wheels}
            return ModelSettings.model_validate(_PATIENT | _from_environment() | more)
        folder = Path(self.engine)
        if not folder.is_dir():
            known = ", ".join(_ENGINES)
            raise SettingsError([f"--engine {self.engine}: neither a folder nor one of {known}"])
        prepared = (folder / "model.bin").is_file() or (folder / "generator").is_dir()
        kind = "ctranslate2" if prepared else "gptq"
        return ModelSettings.model_validate(
            _PATIENT | {"engine": kind, "folder": folder, "wheels": self.wheels}
        )

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened[0].close()


def data_dir() -> Path:
    """Where the prepared models lie: the service's own folder."""
    given = os.environ.get("SMARTDEVDIGEST_DATA_DIR")
    return Path(given) if given else platformdirs.user_data_path("smartdevdigest", appauthor=False)


def _from_environment() -> dict[str, Any]:
    """Settings under `model` as the service reads them: SMARTDEVDIGEST_MODEL__ENDPOINTS …"""
    prefix = "SMARTDEVDIGEST_MODEL__"
    found: dict[str, Any] = {}
    for name, value in os.environ.items():
        if name.startswith(prefix):
            listed = value.startswith("[")
            found[name.removeprefix(prefix).lower()] = json.loads(value) if listed else value
    return found


# --- what the product does, task by task


def _threaded(judge: Callable[[Shown], Prediction]) -> Predict:
    async def predict(shown: Shown) -> Prediction:
        return await asyncio.to_thread(judge, shown)

    return predict


def document_of(shown: Shown) -> Document:
    article = Article(title=shown.title or None, content=shown.content, language=shown.language)
    return cut(article, _PART_WORDS)


async def _summary(resources: Resources) -> Predict:
    summarizer = Summarizer((await resources.both())[0])

    async def predict(shown: Shown) -> str:
        return await summarizer.summarize(shown.title, shown.content, shown.language)

    return predict


async def _conversation(resources: Resources) -> Predict:
    summarizer = Summarizer((await resources.both())[0])

    async def predict(shown: Shown) -> str:
        return await summarizer.summarize_dialogue(shown.title, shown.dialogue, shown.language)

    return predict


async def _embedded(document: Document, encoder: Encoder) -> Vectors | None:
    if document.language not in encoder.reads or not document.sentences:
        return None
    texts = [sentence.text for sentence in document.sentences[:400]]
    rows = await encoder.embed(texts)
    if len(rows) == len(document.sentences):
        return rows
    filled = np.zeros((len(document.sentences), rows.shape[1]), dtype=np.float32)
    filled[: len(rows)] = rows
    return filled


async def _opinions(resources: Resources) -> Callable[[Document], Awaitable[Judgement]]:
    """What the model thinks of an article, checked as in a digest; nothing where it isn't asked."""
    if resources.by == "measures":

        async def silent(_document: Document) -> Judgement:
            return Judgement()

        return silent
    engine, _ = await resources.both()
    settings = DigestSettings(judge="model")

    async def ask(document: Document) -> Judgement:
        weighed = await asyncio.to_thread(weigh, document)
        ranks = await asyncio.to_thread(rank, document, weighed)
        draft = Draft(engine, Generation(), settings, document, weighed, ranks)
        told = await draft.judge()
        evidence = await asyncio.to_thread(Evidence, document)
        return await asyncio.to_thread(checked, told, document, evidence)

    return ask


async def _keywords(resources: Resources) -> Predict:
    opinions, alone = await _opinions(resources), resources.by == "model alone"

    async def predict(shown: Shown) -> list[str]:
        document = await asyncio.to_thread(document_of, shown)
        own = () if alone else await asyncio.to_thread(ranked, document, _NAMES)
        opinion = await opinions(document)
        return list(together(opinion.keywords, likely(own), _NAMES))

    return predict


async def _prerequisites(resources: Resources) -> Predict:
    opinions, alone = await _opinions(resources), resources.by == "model alone"

    async def predict(shown: Shown) -> list[str]:
        document = await asyncio.to_thread(document_of, shown)
        items = (await opinions(document)).prerequisites
        if alone:
            return list(items)
        return list(await asyncio.to_thread(prerequisites, document, opinion=items))

    return predict


async def _terms(_resources: Resources) -> Predict:
    def judge(shown: Shown) -> list[str]:
        document = document_of(shown)
        names = keywords(document, 12)
        return [one.term for one in explained(document, names, _NAMES, shown.language)]

    return _threaded(judge)


async def _difficulty(resources: Resources) -> Predict:
    from core.judging import difficulty
    from core.subject import subject

    encoder = await resources.encoder()
    opinions, alone = await _opinions(resources), resources.by == "model alone"

    async def predict(shown: Shown) -> float:
        document = await asyncio.to_thread(document_of, shown)
        level = (await opinions(document)).level
        if alone:
            return _MIDDLE if level is None else level
        vectors = await subject(document, encoder, await _embedded(document, encoder))
        judged = await asyncio.to_thread(difficulty.judge, document, vectors)
        return float((judged if level is None else joined(judged, level)).level.score)

    return predict


async def _faithfulness(resources: Resources) -> Predict:
    encoder = await resources.encoder()
    kept: list[tuple[tuple[str, str], Evidence]] = []

    async def evidence_of(shown: Shown) -> Evidence:
        # claims about one article stand together: it is read once for all of them
        key = (shown.title, shown.content)
        for known, evidence in kept:
            if known == key:
                return evidence
        document = await asyncio.to_thread(document_of, shown)
        embedded = await _embedded(document, encoder)
        evidence = await asyncio.to_thread(Evidence, document, embedded)
        kept.append((key, evidence))
        del kept[:-8]
        return evidence

    async def predict(shown: Shown) -> float:
        evidence = await evidence_of(shown)
        vector = (await encoder.embed([shown.claim]))[0] if evidence.embedded is not None else None
        found = await asyncio.to_thread(evidence.support, shown.claim, vector)
        return min(1.0, max(0.0, float(found.score)))

    return predict


def pool(docs: Path | None) -> list[Doc]:
    """Raises SettingsError without a pool, or with an empty one."""
    if docs is None:
        raise SettingsError(["retrieval needs --docs, the documents to search"])
    found = list(documents(docs))
    if not found:
        raise SettingsError([f"{docs}: there is no document in it"])
    return found


async def _retrieval(resources: Resources) -> Predict:
    from core.retrieval.ranking import Shelf

    docs = pool(resources.docs)
    # numbers for names: where a document comes from is not for the ranking to see
    shown = [
        {"id": str(place), "title": doc.title, "text": doc.text, "language": doc.language}
        for place, doc in enumerate(docs)
    ]
    shelf = await Shelf.of(shown, await resources.encoder(), RetrievalSettings())

    async def predict(shown: Shown) -> list[str]:
        ranked = await shelf.rank(shown.content)
        return [docs[int(place)].id for place in ranked[:_RANKED]]

    return predict


async def _extraction(_resources: Resources) -> Predict:
    from core.web.extract import Extractor

    extractor = Extractor(WebSettings())

    def read(shown: Shown) -> str:
        page = Page(shown.address, page_bytes(shown), "text/html")
        try:
            return _FENCE.sub(r"\1", extractor(page).content)
        except EngineFailed:
            raise
        except DigestError:
            return ""  # a page that is refused gives people no text

    return _threaded(read)


def page_bytes(shown: Shown) -> bytes:
    body = shown.page.read_bytes() if shown.page is not None else b""
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


SYSTEMS: dict[TaskName, Callable[[Resources], Awaitable[Predict]]] = {
    "summary": _summary,
    "keywords": _keywords,
    "prerequisites": _prerequisites,
    "terms": _terms,
    "difficulty": _difficulty,
    "faithfulness": _faithfulness,
    "retrieval": _retrieval,
    "conversation": _conversation,
    "extraction": _extraction,
}
