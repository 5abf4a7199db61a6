"""What an article's difficulty is told from: vectors of its title and sentences.

The embedded encoder reads English only; a Korean article is shown to it as a gloss
(`core.judging.glossing`), of which `python -m training korean` has learned what it says.
"""

from __future__ import annotations

import asyncio

import numpy as np

from core.chunks import Document
from core.judging import meaning
from core.judging.glossing import gloss
from core.ports import Encoder, Vectors


async def subject(document: Document, encoder: Encoder, embedded: Vectors | None) -> Vectors | None:
    """A row for the title, then one for each sentence; None where the difficulty's head belongs
    to another encoder. `embedded`: the sentences' own vectors, where the encoder reads them."""
    if not meaning.fits(encoder.name):
        return None
    if document.language == "ko":
        return await _glossed(document, encoder)
    if embedded is None:
        return None
    title = await encoder.embed([document.title or document.sentences[0].text])
    return np.vstack([title, embedded])


async def _glossed(document: Document, encoder: Encoder) -> Vectors | None:
    """Rows of zeros for sentences that are not needed, or of which no word is known."""
    count = len(document.sentences)
    chosen = sorted({*range(min(count, meaning.OPENING)), *meaning.evenly(count)})
    texts = [document.title, *(document.sentences[place].text for place in chosen)]
    told = await asyncio.to_thread(lambda: [gloss(text) for text in texts])
    known = [place for place, text in enumerate(told) if text]
    if not known:
        return None
    found = await encoder.embed([told[place] for place in known])
    rows = np.zeros((count + 1, found.shape[1]), dtype=np.float32)
    rows[[chosen[place - 1] + 1 if place else 0 for place in known]] = found
    return rows
