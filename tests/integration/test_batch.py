"""Rows of a file: kept in order, failures told with their line, resumed after any end."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
from support.builders import a_digest

from bot.cli.batch import Line, Results, Tally, digest_rows, lines_of
from core.article import Article
from core.digest import Digest
from core.errors import BadArticle, DigestError, EngineTimedOut, ModelNotReady, SettingsError

HOW = {"language": "auto", "model": "echo"}


class Summing:
    """Digests by repeating the content; `fails_at` gives the error for one content."""

    def __init__(self, fails_at: dict[str, BaseException] | None = None) -> None:
        self.fails_at = fails_at or {}
        self.seen: list[str] = []

    async def __call__(self, article: Article) -> Digest:
        self.seen.append(article.content)
        if article.content in self.fails_at:
            raise self.fails_at[article.content]
        return a_digest(summary=article.content)


class Slow(Summing):
    """The first rows take longest; `most` is how many were under way at once."""

    def __init__(self) -> None:
        super().__init__()
        self.now = self.most = 0

    async def __call__(self, article: Article) -> Digest:
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.02 / (1 + len(self.seen)))
        self.now -= 1
        return await super().__call__(article)


class Run:
    """One run over a folder's `in.jsonl`; tells what was reported."""

    def __init__(self, folder: Path) -> None:
        self.source, self.out = folder / "in.jsonl", folder / "out.jsonl"
        self.errors = folder / "out.jsonl.errors.jsonl"
        self.progress = folder / "out.jsonl.progress"
        self.reported: list[int] = []

    def rows(self, *rows: object) -> None:
        lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
        self.source.write_text("\n".join(lines) + "\n", encoding="utf-8")

    async def __call__(
        self,
        digest: Summing,
        how: dict[str, str] = HOW,
        *,
        again: bool = False,
        at_once: int = 1,
    ) -> Tally:
        self.reported = []

        def failed(number: int, error: DigestError) -> None:
            self.reported.append(number)

        def advanced(line: Line) -> None:
            pass

        with Results(self.out, how, again=again) as results:
            return await digest_rows(
                self.source, results, digest, on_failure=failed, on_line=advanced, at_once=at_once
            )

    def results(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.read_text(encoding="utf-8").splitlines()]

    def summaries(self) -> list[object]:
        return [row["summary"] for row in self.results()]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run(tmp_path)


async def test_every_row_becomes_a_line_in_order(run: Run) -> None:
    run.rows({"content": "one"}, {"content": "둘"})
    assert await run(Summing()) == Tally(done=2, failed=0, before=0)
    assert run.summaries() == ["one", "둘"]
    assert set(run.results()[0]) == set(Digest.model_fields)
    assert not run.errors.exists()


async def test_the_id_of_a_row_is_kept(run: Run) -> None:
    run.rows({"content": "one", "id": 7}, {"content": "two", "id": "b"}, {"content": "three"})
    await run(Summing())
    assert [row.get("id", "none") for row in run.results()] == [7, "b", "none"]


async def test_broken_rows_are_told_with_their_number_and_the_rest_goes_on(run: Run) -> None:
    run.rows({"content": "one"}, "{broken", "", {"title": "no content"}, {"content": "five"})
    assert await run(Summing()) == Tally(done=2, failed=2, before=0)
    assert run.summaries() == ["one", "five"]
    assert run.reported == [2, 4]
    failures = [json.loads(line) for line in run.errors.read_text().splitlines()]
    assert [(one["line"], one["code"]) for one in failures] == [
        (2, "bad_article"),
        (4, "bad_article"),
    ]
    assert failures[1]["reason"] == "content is missing"


async def test_a_row_the_model_fails_on_does_not_stop_the_others(run: Run) -> None:
    run.rows({"content": "one"}, {"content": "two"})
    tally = await run(Summing({"one": EngineTimedOut("model", "120 s")}))
    assert (tally.done, tally.failed) == (1, 1)


async def test_a_model_that_is_not_there_stops_everything(run: Run) -> None:
    run.rows({"content": "one"}, {"content": "two"})
    digest = Summing({"one": ModelNotReady("model", "disk full")})
    with pytest.raises(ModelNotReady):
        await run(digest)
    assert digest.seen == ["one"]


async def test_rows_side_by_side_come_out_in_order(run: Run) -> None:
    run.rows(*({"content": f"row {n}"} for n in range(9)))
    slow = Slow()
    await run(slow, at_once=3)
    assert slow.most == 3
    assert run.summaries() == [f"row {n}" for n in range(9)]


async def test_a_row_that_ends_everything_stops_those_beside_it(run: Run) -> None:
    run.rows({"content": "one"}, {"content": "two"}, {"content": "three"})
    with pytest.raises(ModelNotReady):
        await run(Summing({"one": ModelNotReady("model", "disk full")}), at_once=3)
    assert run.summaries() == []
    await run(Summing(), at_once=3)
    assert run.summaries() == ["one", "two", "three"]


async def test_a_second_run_goes_on_where_the_first_stopped(run: Run) -> None:
    run.rows({"content": "one"}, "{broken", {"content": "three"}, {"content": "four"})
    with pytest.raises(MemoryError):
        await run(Summing({"three": MemoryError()}))
    second = Summing()
    assert await run(second) == Tally(done=2, failed=1, before=2)
    assert second.seen == ["three", "four"]
    assert run.summaries() == ["one", "three", "four"]


async def test_a_finished_run_does_nothing_and_new_rows_are_added(run: Run) -> None:
    run.rows({"content": "one"})
    await run(Summing())
    nothing = Summing()
    assert await run(nothing) == Tally(done=0, failed=0, before=1)
    assert nothing.seen == []
    run.rows({"content": "one"}, {"content": "two"})
    await run(Summing())
    assert run.summaries() == ["one", "two"]


@pytest.mark.parametrize("cut", [1, 5, 40])
@pytest.mark.parametrize("which", ["out", "progress", "both"])
async def test_half_written_lines_are_cut_off_and_done_again(
    run: Run, cut: int, which: str
) -> None:
    run.rows({"content": "one"}, {"content": "two"}, {"content": "three"})
    await run(Summing())
    whole = run.out.read_bytes()
    for name in ("out", "progress") if which == "both" else (which,):
        file: Path = getattr(run, name)
        file.write_bytes(file.read_bytes()[:-cut])
    await run(Summing())
    assert run.out.read_bytes() == whole


async def test_a_result_written_but_not_noted_is_not_doubled(run: Run) -> None:
    run.rows({"content": "one"}, {"content": "two"})
    await run(Summing())
    noted = run.progress.read_bytes().splitlines(keepends=True)
    run.progress.write_bytes(b"".join(noted[:-1]))
    await run(Summing())
    assert run.summaries() == ["one", "two"]


async def test_another_input_is_refused(run: Run) -> None:
    run.rows({"content": "one"}, {"content": "two"})
    await run(Summing())
    run.rows({"content": "one"}, {"content": "other"})
    before = run.out.read_bytes()
    with pytest.raises(SettingsError, match=r"another input .line 2 differs"):
        await run(Summing())
    run.rows({"content": "one"})
    with pytest.raises(SettingsError, match="fewer rows"):
        await run(Summing())
    assert run.out.read_bytes() == before


async def test_another_model_or_language_is_refused(run: Run) -> None:
    run.rows({"content": "one"})
    await run(Summing())
    with pytest.raises(SettingsError, match="was begun with"):
        await run(Summing(), {"language": "ko", "model": "echo"})


async def test_a_file_that_is_not_ours_is_not_touched(run: Run) -> None:
    run.rows({"content": "one"})
    run.out.write_text("somebody's notes\n")
    with pytest.raises(SettingsError, match="exists already"):
        await run(Summing())
    assert run.out.read_text() == "somebody's notes\n"


async def test_again_begins_anew(run: Run) -> None:
    run.rows({"content": "one"})
    await run(Summing())
    run.rows({"content": "other"})
    await run(Summing(), again=True)
    assert run.summaries() == ["other"]


def test_lines_are_numbered_as_an_editor_does(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(b"a\r\n\n  \nb")
    assert [(line.number, line.text) for line in lines_of(file)] == [(1, b"a\r\n"), (4, b"b")]


def test_a_line_longer_than_any_article_is_not_held_in_memory(tmp_path: Path) -> None:
    file = tmp_path / "in.jsonl"
    file.write_bytes(b"x" * 100 + b"\n" + b"y" * 9 + b"\n" + b"z" * 10)
    found = [(line.number, line.text) for line in lines_of(file, longest=10)]
    assert found == [(1, None), (2, b"y" * 9 + b"\n"), (3, b"z" * 10)]


async def test_such_a_line_is_a_failure_of_its_row(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.rows({"content": "one"})
    with Results(run.out, HOW) as results:
        (line,) = lines_of(run.source)
        too_long = Line(line.number, None, line.sha256, line.end)
        monkeypatch.setattr("bot.cli.batch.lines_of", lambda _: iter([too_long]))
        told: list[DigestError] = []
        await digest_rows(
            run.source,
            results,
            Summing(),
            on_failure=lambda _, error: told.append(error),
            on_line=lambda _: None,
        )
    assert isinstance(told[0], BadArticle)
