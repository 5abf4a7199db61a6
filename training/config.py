"""What a training step is told: a YAML file, read whole and checked whole.

config/training/embedded.yaml: m2.learning_rat: no such setting; did you mean learning_rate?
"""

from __future__ import annotations

import argparse
import difflib
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from core.errors import SettingsError


class Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Lora(Part):
    """`rank` 0: all weights are trained. `layers`: only so many of the last ones get matrices
    (0: all); the layers below are then neither changed nor passed back through."""

    rank: int = Field(16, ge=0, le=512)
    alpha: int = Field(32, ge=1)
    dropout: float = Field(0.0, ge=0.0, lt=1.0)
    layers: int = Field(0, ge=0)


class Stage(Part):
    """One run of the Trainer. `batch_size` examples a step and process, `accumulate` steps a
    change of the weights. `max_length`: tokens of an example; a longer one is cut (M1) or left
    out and counted (M2)."""

    data: tuple[str, ...] = Field(min_length=1)
    validation: str | None = None
    epochs: float = Field(1.0, gt=0, le=100)
    learning_rate: float = Field(gt=0, le=1.0)
    warmup: float = Field(0.05, ge=0.0, lt=1.0, description="Share of the steps")
    batch_size: int = Field(8, ge=1, le=4096)
    accumulate: int = Field(1, ge=1)
    max_length: int = Field(512, ge=16, le=131072)
    weight_decay: float = Field(0.0, ge=0.0, lt=1.0)
    seed: int = Field(17, ge=0)
    lora: Lora = Lora()
    gradient_checkpointing: bool = False
    save_steps: int = Field(50, ge=1)
    max_steps: int = Field(0, ge=0, description="0: as many as the epochs have")
    sort_by_length: bool = True
    objective: Literal["causal", "masked"] = "causal"


class Preferring(Stage):
    """Preference tuning: `data` names the file of answers, a step takes `accumulate` prompts."""

    asked: dict[str, int] = Field(description="Files of examples, and how many of each are asked")
    twice: str = Field("", description="The task whose rows are there two times")
    adapter: Path | None = Field(None, description="Where it goes on from; None: <runs>/m2")
    person: float = Field(1.0, ge=0, description="How much a person's answer counts")
    best: float = Field(0.0, ge=0, description="How much the best of its own counts, as an answer")
    order: float = Field(1.0, ge=0, description="How much the order of all its own counts")
    closeness: float = Field(0.05, gt=0, description="Of worth: smaller, the best alone counts")
    sharpness: float = Field(5.0, gt=0, description="Of mean log-probabilities")


class Tokenizing(Part):
    """Terms that become tokens of their own: in at least so many documents, and now cut into at
    least so many pieces. `keep`: although they do not pay at once, to see what training makes of
    them."""

    data: tuple[str, ...] = ()
    documents: int = Field(20, ge=2)
    pieces: int = Field(3, ge=2)
    most: int = Field(512, ge=1)
    keep: bool = False


class Tracking(Part):
    """Where figures go beside the run's own folder."""

    to: tuple[Literal["wandb", "mlflow"], ...] = ()
    project: str = "smartdevdigest"


class TrainingConfig(Part):
    """The whole way: base model, M1, tokenizer, M2. Folders are relative to where one stands.

    `base`: a transformers folder or hub id, or `embedded` for the weights of the wheel.
    `data`: the folder that the names under m1.data start from; m2.data names files made by
    `python -m training examples`, of `data` and, where that file is there, of `posts`.
    """

    base: str = "embedded"
    runs: Path = Path("runs")
    data: Path = Path("../shared/data")
    examples: Path = Path("runs/examples")
    posts: Path | None = Field(None, description="What `python -m training posts` made")
    m1: Stage | None = None
    tokenizer: Tokenizing | None = None
    m2: Stage | None = None
    prefer: Preferring | None = None
    tracking: Tracking = Tracking()

    @model_validator(mode="after")
    def _m2_is_gentler(self) -> TrainingConfig:
        if self.m1 and self.m2 and self.m2.learning_rate > self.m1.learning_rate:
            raise ValueError("m2.learning_rate must not be above m1.learning_rate: M1 is forgotten")
        if self.m2 and self.m2.validation in self.m2.data:
            raise ValueError("m2.validation is also in m2.data: the split leaks")
        return self


_Config = TypeVar("_Config", bound=BaseModel)


def read(path: Path, kind: type[_Config]) -> _Config:
    """Raises SettingsError with every mistake in the file, each on a line of its own."""
    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SettingsError([f"{path}: cannot be read ({_first_line(error)})"]) from error
    if not isinstance(found, dict):
        raise SettingsError([f"{path}: must be a mapping of settings"])
    if kind is TrainingConfig and "training" in found:
        found = _of_the_service(found)
    try:
        return kind.model_validate(found)
    except ValidationError as error:
        said = [f"{path}: {_sentence(mistake, kind)}" for mistake in error.errors()]
        raise SettingsError(said) from error


def adapter_step(
    name: str,
    told: str | None,
    run: Callable[[TrainingConfig], Path],
    arguments: Sequence[str] | None,
    config: str = "config/training/embedded.yaml",
) -> int:
    """The command line of a step that leaves an adapter. `told`: its help; `run`: gives the folder."""
    parser = argparse.ArgumentParser(prog=f"python -m training {name}", description=told)
    parser.add_argument("--config", type=Path, default=Path(config))
    asked = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    adapter = run(read(asked.config, TrainingConfig))
    logging.getLogger(f"training.model.{name}").info("adapter in %s", adapter)
    return 0


# What is read where the service's own configuration says only how.
_M1_DATA = ("cs_corpus/extra", "tech_specs/train", "go_blog/train", "difficulty/train")
_M2_DATA = ("summary.train", "statement.train", "part.train", "description.train", "term.train")


def _of_the_service(found: dict[str, Any]) -> dict[str, Any]:
    """config/config.yaml as a way of training: its training.model.m1, training.model.m2 and data.root."""
    training = found["training"] or {}
    stages: dict[str, Any] = {}
    for name, data in (("m1", _M1_DATA), ("m2", _M2_DATA)):
        if training.get(name):
            stage = dict(training[name])
            stages[name] = {"data": data, "lora": {"rank": stage.pop("lora_rank", 16)}, **stage}
    if "m2" in stages:
        stages["m2"]["validation"] = "summary.valid"
    root = (found.get("data") or {}).get("root")
    return stages | ({"data": root} if root else {})


def _sentence(mistake: Any, kind: type[BaseModel]) -> str:
    where = ".".join(str(step) for step in mistake["loc"])
    if mistake["type"] != "extra_forbidden":
        return f"{where or 'the settings'}: {mistake['msg']}"
    known = list(_section(kind, mistake["loc"][:-1]).model_fields)
    close = difflib.get_close_matches(str(mistake["loc"][-1]), known, 1)
    hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(known)}"
    return f"{where}: no such setting; {hint}"


def _section(kind: type[BaseModel], steps: tuple[Any, ...]) -> type[BaseModel]:
    for step in steps:
        field = kind.model_fields.get(str(step))
        inner = [] if field is None else [field.annotation, *_arguments(field.annotation)]
        models = [one for one in inner if isinstance(one, type) and issubclass(one, BaseModel)]
        if not models:
            return kind
        kind = models[0]
    return kind


def _arguments(annotation: Any) -> tuple[Any, ...]:
    return getattr(annotation, "__args__", ())


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
