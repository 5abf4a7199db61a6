"""How long `smartdevdigest --help` and its kin take, from the start of the process to its end.

    python tests/benchmarks/bench_start.py

Prints a table; exits with 1 where the median of seven runs is a second or more.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
COMMANDS = (["--help"], ["--version"], ["digest", "--help"])
RUNS = 7


def seconds(arguments: list[str]) -> float:
    began = time.perf_counter()
    command = [sys.executable, "-m", "bot", *arguments]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - began


def main() -> int:
    print("| command | median | most |\n|---|---|---|")
    slow = False
    for arguments in COMMANDS:
        seconds(arguments)  # compiled and in the file cache from now on
        took = [seconds(arguments) for _ in range(RUNS)]
        slow |= statistics.median(took) >= 1.0
        name = " ".join(arguments)
        print(f"| {name} | {statistics.median(took):.2f} s | {max(took):.2f} s |")
    return int(slow)


if __name__ == "__main__":
    sys.exit(main())
