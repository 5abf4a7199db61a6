"""Average: adapters of one base, taught alike with other seeds, become one.

    python -m training average --adapter FOLDER --adapter FOLDER … --out FOLDER [--rank 24]

The change of each weight is the mean of theirs (a uniform soup: Wortsman et al. 2022, arXiv
2203.05482), drawn together into so many ranks by its largest singular values (Eckart and Young 1936).
Once merged it costs what one adapter costs. manifest.json holds theirs.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import SettingsError
from training.model.bases import ADAPTER, MANIFEST, check_prompts
from training.reporting import write_json
from training.sets.examples import VERSIONS

log = logging.getLogger("training.model.average")

_WEIGHTS = "adapter_model.safetensors"
# What must be the same for a mean to have a meaning.
_ALIKE = ("peft_type", "use_dora", "use_rslora")


def run(adapters: Sequence[Path], out: Path, rank: int) -> dict[str, Any]:
    """The figures: `kept`, the share (0-1) of the mean's squares that this rank holds, at least and
    on average. Raises SettingsError where the adapters cannot be averaged."""
    import torch
    from safetensors.torch import save_file

    from training.tracking import manifest, write_manifest

    if len(adapters) < 2:
        raise SettingsError(["name two adapters at least: --adapter FOLDER --adapter FOLDER"])
    for adapter in adapters:
        check_prompts(adapter, VERSIONS)
    configs, weights, of = _read(adapters)
    made: dict[str, Any] = {}
    shares = []
    for name in sorted(n for n in weights[0] if "lora_A" in n):
        other = name.replace("lora_A", "lora_B")
        changes = [
            config["lora_alpha"] / config["r"] * (one[other].double() @ one[name].double())
            for config, one in zip(configs, weights, strict=True)
        ]
        left, sizes, right = torch.linalg.svd(sum(changes) / len(changes), full_matrices=False)
        squares = sizes.square()
        shares.append(float(squares[:rank].sum() / squares.sum().clamp(min=1e-12)))
        root = sizes[:rank].sqrt()
        # In 16 bits as M2 leaves them.
        made[other] = (left[:, :rank] * root).to(torch.float16).contiguous()
        made[name] = (root[:, None] * right[:rank]).to(torch.float16).contiguous()
    out.mkdir(parents=True, exist_ok=True)
    save_file(made, out / _WEIGHTS, metadata={"format": "pt"})
    write_json(configs[0] | {"r": rank, "lora_alpha": rank}, out / ADAPTER)
    figures = {
        "adapters": len(adapters),
        "kept": sum(shares) / len(shares),
        "kept_least": min(shares),
    }
    told = manifest("average", {"rank": rank}, [], VERSIONS, figures, base=of[0]["base"])
    write_manifest(out, told | {"of": of})
    (out / "README.md").write_text(_card(told, of, adapters), encoding="utf-8")
    return figures


def _read(adapters: Sequence[Path]) -> tuple[list[dict[str, Any]], ...]:
    """Of each adapter its configuration, weights and manifest."""
    from safetensors.torch import load_file

    configs, weights, of = [], [], []
    for adapter in adapters:
        lacking = [n for n in (ADAPTER, _WEIGHTS, MANIFEST) if not (adapter / n).is_file()]
        if lacking:
            raise SettingsError(
                [f"{adapter}: no {lacking[0]} there; python -m training m2 makes one"]
            )
        configs.append(json.loads((adapter / ADAPTER).read_text(encoding="utf-8")))
        weights.append(load_file(adapter / _WEIGHTS))
        of.append(json.loads((adapter / MANIFEST).read_text(encoding="utf-8")))
        if of[-1]["base"] != of[0]["base"]:
            raise SettingsError(
                [f"{adapter}: of {of[-1]['base']}, but {adapters[0]} of {of[0]['base']}"]
            )
        differ = [key for key in _ALIKE if configs[-1].get(key) != configs[0].get(key)]
        if differ or weights[-1].keys() != weights[0].keys():
            what = differ[0] if differ else "the layers"
            raise SettingsError(
                [
                    f"{adapter}: {what} not as in {adapters[0]}; only adapters of one shape have a mean"
                ]
            )
    return configs, weights, of


def _card(made: dict[str, Any], of: Sequence[dict[str, Any]], adapters: Sequence[Path]) -> str:
    runs = "\n".join(
        f"- {one['made']}, seed {one['config']['m2']['seed']}: {one['figures']['examples']} examples, "
        f"{one['figures']['steps']} steps, {one['figures']['seconds']:.0f} s, validation perplexity "
        f"{one['figures']['valid_perplexity'] or 0:.2f}"
        for one in of
    )
    # What each was taught stands in its own card; all were taught from the same sets.
    learned = (adapters[0] / "README.md").read_text(encoding="utf-8").partition("Learned from")[2]
    return f"""# Adapter: the mean of {len(of)}, on {made["base"]}

Made {made["made"]} by `python -m training average` at commit {made["commit"]} of

{runs}

Rank {made["config"]["rank"]} holds {made["figures"]["kept"]:.1%} of the mean change. Everything that decided the runs stands in manifest.json.

Learned from{learned}"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training average", description=__doc__)
    parser.add_argument("--adapter", type=Path, action="append", default=[], help="twice or more")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--rank", type=int, default=24)
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    if asked.rank < 1:
        raise SettingsError([f"--rank {asked.rank}: must be 1 or more"])
    figures = run(asked.adapter, asked.out, asked.rank)
    log.info(
        "%d adapters in %s: rank %d holds %.1f %%",
        figures["adapters"],
        asked.out,
        asked.rank,
        100 * figures["kept"],
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
