"""Back-translation: other words, the same facts, and nothing else touched."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from support.fakes import FakeEncoder

from core.article import Language
from core.errors import EngineFailed, SettingsError
from core.ports import Encoder, Engine, Generation, Prompt
from training.evaluating.systems import Resources
from training.sets import backtranslate, examples

POOL = "A pool keeps 20 connections to PostgreSQL open and hands them to requests."
HOME = "The pool holds 20 PostgreSQL connections open, and gives them out to requests."
QUEUE = "A queue bounds how long a caller waits for a connection."
TIMES = "The queue limits the time for which callers wait for their connection."
CODE = "```go\nfor {}\n```"
ARTICLE = f"## Pools\n\n{POOL}\n\n{CODE}\n\n{QUEUE}"


class Translator:
    """Knows what comes back of each passage; every passage has a Korean number on the way."""

    name = "translator 1"
    context_tokens = 4096

    def __init__(self, home: dict[str, str], writes: frozenset[Language]) -> None:
        self.home = home
        self.writes = writes
        self.asked: list[str] = []
        self.fails_after = 10**9

    def count_tokens(self, text: str) -> int:
        return len(text.split())

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        text = prompt.user.partition("\n\n")[2]
        self.asked.append(text)
        if len(self.asked) > self.fails_after:
            raise EngineFailed(self.name, "gone")
        if prompt.user.startswith("한국어"):
            return f"번역: 한국어로 옮긴 문단 {[*self.home].index(text)}번입니다"
        return f'"{[*self.home.values()][int("".join(filter(str.isdigit, text)))]}"'

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        yield await self.generate(prompt, options)

    async def close(self) -> None: ...


BOTH: frozenset[Language] = frozenset({"ko", "en"})


class Opened(Resources):
    def __init__(self, engine: Translator) -> None:
        super().__init__()
        self.translator = engine

    async def both(self) -> tuple[Engine, Encoder]:
        return self.translator, FakeEncoder()


async def test_paragraphs_come_back_and_code_and_headings_stay() -> None:
    engine = Translator({POOL: HOME, QUEUE: TIMES}, BOTH)
    assert await backtranslate.back(engine, ARTICLE, "en") == (
        f"## Pools\n\n{HOME}\n\n{CODE}\n\n{TIMES}"
    )


@pytest.mark.parametrize(
    "lie",
    [
        HOME.replace("20", "30"),
        HOME.replace("PostgreSQL", "MySQL"),
        HOME.replace("requests", "Kafka"),
        POOL,
        "A pool.",
        HOME * 3,
        "풀은 PostgreSQL 연결 20개를 열어 두고 요청에 나누어 줍니다.",
    ],
)
async def test_a_paragraph_that_says_something_else_stays_as_it_was(lie: str) -> None:
    engine = Translator({POOL: lie, QUEUE: TIMES}, BOTH)
    made = await backtranslate.back(engine, f"{POOL}\n\n{QUEUE}", "en")
    assert made == f"{POOL}\n\n{TIMES}"
    assert await backtranslate.back(engine, POOL, "en") is None


def a_file(folder: Path, *rows: dict[str, object]) -> Path:
    path = folder / "rows.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def a_row(name: str, **more: object) -> dict[str, object]:
    known = {"id": name, "title": "Pools", "content": ARTICLE, "license": "MIT", "source": "a"}
    return {**known, "summary": "A pool hands open connections to requests.", **more}


async def test_a_row_keeps_everything_but_its_text_and_says_where_it_comes_from(
    tmp_path: Path,
) -> None:
    data = a_file(tmp_path, a_row("one"), a_row("two", license="CC-BY-NC-4.0"))
    out = tmp_path / "back/out.jsonl"
    engine = Translator({POOL: HOME, QUEUE: TIMES}, BOTH)
    assert await backtranslate.run(data, out, Opened(engine)) == {
        "written": 1,
        "left out: licence": 1,
    }
    one, two = map(json.loads, out.read_text(encoding="utf-8").splitlines())
    assert HOME in one["content"]
    assert one == a_row("one") | {
        "content": one["content"],
        "augmented": "back-translation by translator 1, translation-1",
    }
    assert two == {"id": "two", "skipped": "left out: licence"}
    title, made = examples.from_made(one)
    assert (title.task, title.answer) == ("title", a_row("one")["title"])
    assert str(a_row("one")["title"]) not in title.prompt.user
    assert made.answer == "A pool hands open connections to requests."
    assert list(examples.from_made(two)) == []


async def test_an_interrupted_run_goes_on_and_asks_nothing_twice(tmp_path: Path) -> None:
    data = a_file(tmp_path, a_row("one"), a_row("two"))
    out = tmp_path / "out.jsonl"
    engine = Translator({POOL: HOME, QUEUE: TIMES}, BOTH)
    engine.fails_after = 5  # four calls make an article
    with pytest.raises(EngineFailed):
        await backtranslate.run(data, out, Opened(engine))
    with out.open("a", encoding="utf-8") as file:
        file.write('{"id": "two", "cont')
    engine.fails_after = 10**9
    before = len(engine.asked)
    assert await backtranslate.run(data, out, Opened(engine)) == {"written": 1}
    assert len(engine.asked) == before + 4
    rows = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert [row["id"] for row in rows] == ["one", "two"]


async def test_a_model_of_one_language_is_refused_in_words(tmp_path: Path) -> None:
    engine = Translator({}, frozenset({"en"}))
    with pytest.raises(SettingsError, match="does not write Korean and English"):
        await backtranslate.run(a_file(tmp_path, a_row("one")), tmp_path / "o", Opened(engine))
