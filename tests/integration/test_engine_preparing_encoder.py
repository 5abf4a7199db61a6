"""Where another engine writes, the encoder is prepared alone: in real processes, from a real wheel."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest
from support.openai_server import OpenAiServer
from support.preparing_child import start, wait_for
from support.tiny_encoder import tiny_encoder
from support.tiny_model import tiny_checkpoint, tiny_model

from core.engine import prepared, preparing
from core.engine.choose import open_engine
from core.engine.encoder import CTranslate2Encoder
from core.engine.prepare import prepare, prepare_encoder
from core.engine.prepared import (
    MANIFEST,
    PreparedModels,
    encoder_revision,
    expected,
    expected_encoder,
    find,
    find_encoder,
    recipe,
    seal,
    size_of,
)
from core.engine.weights import ENCODER, GENERATOR, Wheel
from core.errors import ModelNotReady
from core.settings import ModelSettings

NOBODY = ["/no/such/program"]

# The real child, but what it builds is small and quick; with a file named as its first argument it
# goes on only once that is there.
CHILD = """
import sys, time
from pathlib import Path
from core.engine import preparing

go = Path(sys.argv[1])

def build(parts):
    def made(partial, report, *, cache, wheels, adapter=None):
        for part in parts:
            (partial / part).mkdir()
            (partial / part / "model.bin").write_bytes(part.encode() * 99)
        with (partial.parent / "built").open("a") as log:
            log.write(" ".join(parts) + ";")
        report("half", 0.5)
        while str(go) != "." and not go.exists():
            time.sleep(0.01)
    return made

preparing.build_encoder = build(["encoder"])
preparing.build_embedded = build(["generator", "encoder"])
sys.exit(preparing.main(sys.argv[2:]))
"""

# The real child, for a wheel of our own instead of the published one.
OF_OUR_WHEEL = """
import json, sys
from core.engine import weights

fields = json.loads(sys.argv[1])
weights.ENCODER = weights.Wheel(**{**fields, "wanted": tuple(fields["wanted"])})
weights.WHEELS = (weights.GENERATOR, weights.ENCODER)

from core.engine import preparing

sys.exit(preparing.main(sys.argv[2:]))
"""


def child(tmp_path: Path, go: Path | None = None) -> list[str]:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    return [sys.executable, str(script), str(go or "")]


def built(data: Path) -> str:
    return (data / "models" / "built").read_text()


def whole_models(
    data: Path, adapter: Path | None = None, generator: Path | None = None
) -> PreparedModels:
    """As a preparation with this adapter leaves them, with the tests' tiny encoder."""
    models = expected(data, adapter)
    shutil.copytree(tiny_encoder().folder, models.encoder)
    if generator is not None:
        shutil.copytree(generator, models.generator)
    else:
        models.generator.mkdir()
        (models.generator / "model.bin").write_bytes(b"generator" * 99)
    seal(models.folder, recipe(adapter))
    return models


def an_adapter(folder: Path, weights: bytes) -> Path:
    folder.mkdir()
    (folder / "adapter_config.json").write_text("{}")
    (folder / "adapter_model.safetensors").write_bytes(weights)
    return folder


async def test_it_is_prepared_alone_once_and_then_found(tmp_path: Path) -> None:
    made = await prepare_encoder(tmp_path, child=child(tmp_path))
    assert made == find_encoder(tmp_path) == expected_encoder(tmp_path)
    assert (made.encoder / "model.bin").read_bytes() == b"encoder" * 99
    assert built(tmp_path) == "encoder;"
    assert await prepare_encoder(tmp_path, child=NOBODY) == made
    assert find(tmp_path, None) is None


@pytest.mark.parametrize("damage", ["nothing", "the generator is cut", "the generator is gone"])
async def test_that_of_whole_models_is_used_whatever_their_adapter_and_generator(
    tmp_path: Path, damage: str
) -> None:
    models = whole_models(tmp_path, an_adapter(tmp_path / "adapter", b"one"))
    if damage == "the generator is cut":
        os.truncate(models.generator / "model.bin", 9)
    elif damage == "the generator is gone":
        shutil.rmtree(models.generator)
    found = await prepare_encoder(tmp_path, child=NOBODY)
    assert found.encoder == models.encoder
    assert size_of(found) == sum(one.stat().st_size for one in tiny_encoder().folder.iterdir())


@pytest.mark.parametrize(
    "change", ["it is cut", "other CTranslate2", "other weights", "half made", "no manifest"]
)
async def test_an_encoder_that_is_not_ours_or_not_whole_is_made_anew(
    tmp_path: Path, change: str
) -> None:
    models = whole_models(tmp_path)
    made_from = recipe(None)
    if change == "it is cut":
        os.truncate(models.encoder / "model.bin", 9)
    elif change == "other CTranslate2":
        seal(models.folder, {**made_from, "ctranslate2": "1.0"})
    elif change == "other weights":
        seal(models.folder, {**made_from, "wheels": {**made_from["wheels"], ENCODER.project: "0"}})
    elif change == "half made":
        models.folder.rename(models.folder.with_name(models.folder.name + prepared.PARTIAL))
    else:
        (models.folder / MANIFEST).write_text('{"recipe": []}')
    assert find_encoder(tmp_path) is None
    assert await prepare_encoder(tmp_path, child=child(tmp_path)) == expected_encoder(tmp_path)


async def test_who_waits_for_whole_models_takes_their_encoder(tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = start(child(tmp_path, go), tmp_path)
    wait_for(first, "half")
    second = start(child(tmp_path, go), tmp_path, "--encoder-only")
    wait_for(second, "Waiting for another process")
    go.touch()
    for process in (first, second):
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert built(tmp_path) == "generator encoder;"
    found = find_encoder(tmp_path)
    assert found is not None
    assert found.encoder == expected(tmp_path, None).encoder


async def test_whole_models_are_made_beside_an_encoder_that_is_alone(tmp_path: Path) -> None:
    alone = await prepare_encoder(tmp_path, child=child(tmp_path))
    models = await prepare(tmp_path, child=child(tmp_path))
    assert built(tmp_path) == "encoder;generator encoder;"
    assert alone.encoder.is_dir()
    assert find(tmp_path, None) == models


# -- the real conversion ------------------------------------------------------------------


def a_wheel_of_the_tiny_encoder(folder: Path) -> Wheel:
    folder.mkdir()
    path = folder / "tiny-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for file in tiny_encoder().source.iterdir():
            archive.write(file, f"tiny/model/{file.name}")
        archive.writestr("tiny/code.py", "raise SystemExit")
    data = path.read_bytes()
    digest = hashlib.sha256(data).hexdigest()
    return Wheel("tiny", "1", path.name, digest, len(data), ("tiny/model/",))


@pytest.mark.slow
async def test_the_encoder_comes_from_its_wheel_and_the_generators_is_not_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheels = tmp_path / "wheels"
    wheel = a_wheel_of_the_tiny_encoder(wheels)
    monkeypatch.setattr(prepared, "ENCODER", wheel)
    monkeypatch.setattr(prepared, "WHEELS", (GENERATOR, wheel))
    script = tmp_path / "child.py"
    script.write_text(OF_OUR_WHEEL)
    fields = {name: getattr(wheel, name) for name in Wheel.__dataclass_fields__}
    command = [sys.executable, str(script), json.dumps(fields)]
    heard: list[tuple[str, float]] = []
    made = await prepare_encoder(
        tmp_path, wheels=wheels, child=command, progress=lambda *step: heard.append(step)
    )
    stages = dict.fromkeys(stage.split(" (")[0] for stage, _ in heard)
    assert list(stages) == [
        "Downloading tiny",
        "Unpacking tiny",
        "Loading torch and transformers",
        "Converting tiny",
        "Writing to disk",
    ]
    shares = [share for _, share in heard]
    assert shares == sorted(shares)
    assert shares[-1] == 0.97
    texts = ["The scheduler places pods on nodes.", "cats sleep"]
    ours = await CTranslate2Encoder(made.encoder).embed(texts)
    assert (ours * tiny_encoder().embed(texts)).sum(axis=1).min() > 0.99
    assert {path.name for path in made.folder.iterdir()} == {"encoder", MANIFEST}
    with pytest.raises(ModelNotReady, match=GENERATOR.file):
        await prepare(tmp_path, wheels=wheels, child=command)


@pytest.mark.slow
@pytest.mark.network
async def test_an_engine_that_asks_servers_prepares_the_published_encoder_only(
    tmp_path: Path,
) -> None:
    """The real thing: downloads 84 MB and converts. 15 s; needs a package index."""
    server = await OpenAiServer().start()
    try:
        settings = ModelSettings(engine="openai", endpoints=(server.address,))
        try:
            engine, encoder = await open_engine(settings, tmp_path)
        except ModelNotReady as error:
            if "could not be downloaded" in error.reason:
                pytest.skip(f"no package index can be reached: {error.reason}")
            raise
        cat, kitten, pods = await encoder.embed(
            ["A cat sleeps.", "The kitten is asleep.", "Kubernetes schedules pods."]
        )
        assert cat @ kitten > 0.6 > 0.3 > cat @ pods
        await engine.close()
    finally:
        await server.stop()
    kept = {path.name for path in (tmp_path / "models").iterdir()}
    assert kept == {"lock", "wheels", expected_encoder(tmp_path).folder.name}
    assert [path.name for path in (tmp_path / "models/wheels").iterdir()] == [ENCODER.file]


# -- whose vectors may be compared --------------------------------------------------------


async def test_the_encoder_has_one_name_whichever_engine_and_adapter_write(tmp_path: Path) -> None:
    adapter = an_adapter(tmp_path / "adapter", b"one")
    whole_models(tmp_path, adapter, tiny_model().folder)
    server = await OpenAiServer().start()
    names, engines = set(), set()
    try:
        for settings in (
            ModelSettings(adapter=adapter),
            ModelSettings(folder=tiny_model().folder),
            ModelSettings(engine="gptq", folder=tiny_checkpoint(), device="cpu"),
            ModelSettings(engine="openai", endpoints=(server.address,)),
        ):
            engine, encoder = await open_engine(settings, tmp_path)
            engines.add(engine.name)
            names.add(encoder.name)
            await engine.close()
    finally:
        await server.stop()
    assert len(engines) == 4
    assert names == {f"tiny-bert@{encoder_revision()}"}


def test_another_adapter_leaves_the_encoders_revision_and_other_weights_do_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = whole_models(tmp_path / "data", an_adapter(tmp_path / "one", b"one"))
    two = whole_models(tmp_path / "data", an_adapter(tmp_path / "two", b"two"))
    assert one.fingerprint != two.fingerprint
    found = find_encoder(tmp_path / "data")
    assert found is not None
    before = encoder_revision()
    assert found.revision == before
    monkeypatch.setattr(prepared, "QUANTIZATION", "int16")
    assert encoder_revision() != before
    assert find_encoder(tmp_path / "data") is None


def test_the_encoder_alone_needs_less_space_and_its_wheel_only(tmp_path: Path) -> None:
    alone = preparing.space_needed(tmp_path, None, encoder_only=True)
    assert alone < preparing.space_needed(tmp_path, None) / 2
    kept = tmp_path / "models" / "wheels" / ENCODER.file
    kept.parent.mkdir(parents=True)
    kept.touch()
    here = preparing.space_needed(tmp_path, None, encoder_only=True)
    assert here == alone - ENCODER.size
    assert here == preparing.space_needed(tmp_path, tmp_path, encoder_only=True)
