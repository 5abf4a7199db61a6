"""What is in the library, looked up in the search engines of databases, for bench_search.py.

Each gives its best 300 by words and by mean vector: candidates, as the index in memory gives them.
Words are their numbers ("t123"), so that every engine has the same ones, Korean included. Where
Python's own sqlite3 cannot load extensions, the package pysqlite3-binary has to be there.
"""

from __future__ import annotations

import importlib
import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from support import postgres

from core.language import detect
from core.ports import Encoder, Vectors
from core.retrieval.document import Head, read_head
from core.retrieval.tokens import numbers, tokens

Search = Callable[[str], Awaitable[object]]


async def timed(what: Search, questions: Sequence[str]) -> tuple[float, float, float]:
    """Milliseconds: the middle, 95 of 100, and CPU on the average."""
    taken, cpu = [], time.process_time()
    for question in questions:
        started = time.perf_counter()
        await what(question)
        taken.append(1000 * (time.perf_counter() - started))
    spent = 1000 * (time.process_time() - cpu) / len(questions)
    return float(np.median(taken)), float(np.percentile(taken, 95)), spent


async def compare(
    library: Path,
    encoder: Encoder,
    questions: Sequence[str],
    *,
    sqlite: bool,
    programs: Path | None,
) -> None:
    """`programs`: the bin folder of a PostgreSQL with pgvector; None: not compared with it."""
    vectors = dict(zip(questions, await encoder.embed(questions), strict=True))
    if sqlite:
        await _sqlite(library, questions, vectors)
    if programs is not None:
        await _postgres(library, questions, vectors, programs)


def _heads(library: Path) -> Iterator[tuple[int, Head]]:
    connection = sqlite3.connect(library)
    for seq, data in connection.execute("SELECT seq, head FROM library ORDER BY seq"):
        yield seq, read_head(data)
    connection.close()


def _said(head: Head) -> str:
    both = zip(head.terms.tolist(), head.counts.tolist(), strict=True)
    return " ".join(" ".join([f"t{term}"] * count) for term, count in both)


def _asked(question: str) -> list[str]:
    return [f"t{term}" for term in set(numbers(tokens(question, detect(question))).tolist())]


async def _report(name: str, what: Search, questions: Sequence[str]) -> None:
    await timed(what, questions[:3])
    middle, late, _ = await timed(what, questions)
    print(f"         {name:30} middle {middle:7.1f} ms  p95 {late:7.1f} ms", flush=True)


def _loading_extensions() -> Any:
    if hasattr(sqlite3.Connection, "enable_load_extension"):
        return sqlite3
    return importlib.import_module("pysqlite3")


async def _sqlite(library: Path, questions: Sequence[str], vectors: dict[str, Vectors]) -> None:
    import sqlite_vec

    file = library.with_name("compared.sqlite3")
    file.unlink(missing_ok=True)
    connection = _loading_extensions().connect(file)
    connection.enable_load_extension(True)
    sqlite_vec.load(connection)
    width = len(vectors[questions[0]])
    connection.execute("CREATE VIRTUAL TABLE words USING fts5(text, content='', detail=none)")
    connection.execute(f"CREATE VIRTUAL TABLE vectors USING vec0(v float[{width}])")
    started = time.perf_counter()
    for seq, head in _heads(library):
        connection.execute("INSERT INTO words (rowid, text) VALUES (?, ?)", (seq, _said(head)))
        connection.execute(
            "INSERT INTO vectors (rowid, v) VALUES (?, ?)", (seq, head.vector.tobytes())
        )
    connection.commit()
    print(
        f"FTS5 and sqlite-vec: filled in {time.perf_counter() - started:.0f} s,"
        f" {file.stat().st_size / 2**20:.0f} MiB"
    )

    async def words(question: str) -> object:
        statement = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rank LIMIT 300"
        return connection.execute(statement, (" OR ".join(_asked(question)),)).fetchall()

    async def nearest(question: str) -> object:
        statement = "SELECT rowid FROM vectors WHERE v MATCH ? AND k = 300 ORDER BY distance"
        return connection.execute(statement, (vectors[question].tobytes(),)).fetchall()

    await _report("FTS5", words, questions)
    await _report("sqlite-vec", nearest, questions)
    connection.close()


async def _postgres(
    library: Path, questions: Sequence[str], vectors: dict[str, Vectors], programs: Path
) -> None:
    postgres.programs = lambda: programs
    with postgres.running(fsync=True) as server:
        name = server.create_database().rpartition("/")[2]
        started = time.perf_counter()
        with server._connect(name) as connection:
            width = len(vectors[questions[0]])
            connection.execute("CREATE EXTENSION vector")
            connection.execute(
                f"CREATE TABLE found (seq bigint PRIMARY KEY, words tsvector, v vector({width}))"
            )
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY found (seq, words, v) FROM STDIN") as copy,
            ):
                for seq, head in _heads(library):
                    counted = zip(head.terms.tolist(), head.counts.tolist(), strict=True)
                    at, lexemes = 1, []
                    for term, count in counted:
                        places = ",".join(str(min(at + n, 16383)) for n in range(min(count, 200)))
                        lexemes.append(f"'t{term}':{places}")
                        at += count
                    cells = np.round(head.vector, 4).tolist()
                    copy.write_row((seq, " ".join(lexemes), str(cells)))
            filled = time.perf_counter()
            connection.execute("SET maintenance_work_mem = '1GB'")
            connection.execute("CREATE INDEX ON found USING gin (words)")
            words_indexed = time.perf_counter()
            connection.execute("CREATE INDEX near ON found USING hnsw (v vector_cosine_ops)")
            connection.execute("VACUUM ANALYZE found")
            print(
                f"PostgreSQL: filled in {filled - started:.0f} s, words indexed in"
                f" {words_indexed - filled:.0f} s, vectors in"
                f" {time.perf_counter() - words_indexed:.0f} s,"
                f" {_size(connection.execute):.0f} MiB, {os.cpu_count()} cores"
            )

            async def words(question: str) -> object:
                statement = (
                    "SELECT seq FROM found, to_tsquery('simple', %s) AS asked WHERE words @@ asked"
                    " ORDER BY ts_rank_cd(words, asked) DESC LIMIT 300"
                )
                return connection.execute(statement, (" | ".join(_asked(question)),)).fetchall()

            async def nearest(question: str) -> object:
                statement = "SELECT seq FROM found ORDER BY v <=> %s::vector LIMIT 300"
                asked = str(vectors[question].tolist())
                return connection.execute(statement, (asked,)).fetchall()

            await _report("full text, ts_rank_cd", words, questions)
            connection.execute("SET hnsw.ef_search = 300")
            await _report("pgvector, HNSW", nearest, questions)
            connection.execute("DROP INDEX near")
            await _report("pgvector, exact", nearest, questions)


def _size(execute: Callable[..., Any]) -> float:
    found = execute("SELECT pg_total_relation_size('found')").fetchone()
    return float(found[0]) / 2**20
