"""Values for tests: each builder gives a whole, valid one; a test names the difference it means."""

from __future__ import annotations

from typing import Any

from core.article import Article, Page
from core.digest import (
    ArticleHead,
    Details,
    DifficultyLevel,
    Digest,
    DigestRecord,
    Factor,
    SummarySentence,
    TechnicalTerm,
    TermOrigin,
)
from core.places import Place, SharedLink

# The output contract's keys, exactly these.
CONTRACT = [
    "summary",
    "keywords",
    "difficulty_level",
    "prerequisites",
    "technical_terms",
    "processing_time",
]
URL = "https://blog.example.com/connection-pools"
CONTENT = """# Connection pools

A connection pool keeps database connections open and hands them to requests. Opening a
connection costs a TCP handshake, a TLS handshake and an authentication round trip. In our
measurements the pool reduced the median latency from 41 ms to 6 ms.

## How large should a pool be?

A pool that is too large overloads the database server. We started with two connections per
CPU core and raised the number while throughput grew.

```python
pool = create_pool(size=2 * cores)
```

Requests wait in a queue when every connection is busy. A timeout bounds the time they wait.
"""

PLACE = Place("slack", "T1", "C1")


def a_shared_link(link: str = URL, *, place: Place = PLACE, **changes: Any) -> SharedLink:
    values: dict[str, Any] = {"message": "1.0", "by": "U1"}
    return SharedLink(link=link, place=place, **(values | changes))


def an_article(**changes: Any) -> Article:
    values: dict[str, Any] = {
        "source_type": "blog",
        "url": URL,
        "language": "en",
        "title": "Connection pools, measured",
        "content": CONTENT,
        "author": "Dana Doe",
        "publish_date": "2025-03-01",
        "tags": ("databases",),
    }
    return Article.model_validate(values | changes)


def a_page(body: bytes | str, **changes: Any) -> Page:
    values: dict[str, Any] = {"url": URL, "content_type": "text/html", "charset": "utf-8"}
    raw = body.encode() if isinstance(body, str) else body
    return Page(body=raw, **(values | changes))


def a_digest(**changes: Any) -> Digest:
    values: dict[str, Any] = {
        "summary": "A connection pool keeps database connections open and hands them to requests.",
        "keywords": ("connection pool", "latency"),
        "difficulty_level": DifficultyLevel.of(2.8),
        "prerequisites": ("TCP",),
        "technical_terms": (
            TechnicalTerm(term="connection pool", explanation="Open connections that are reused."),
        ),
        "processing_time": 1.25,
    }
    return Digest.model_validate(values | changes)


def details(**changes: Any) -> Details:
    sentence = "A connection pool keeps database connections open and hands them to requests."
    values: dict[str, Any] = {
        "language": "en",
        "article_language": "en",
        "model": "test-model",
        "words": 97,
        "read": 1.0,
        "drafted": 1.0,
        "parts": 1,
        "checked": 2,
        "rejected": 1,
        "sentences": (
            SummarySentence(text=sentence, origin="model", support=0.93, source=sentence),
        ),
        "factors": (
            Factor(name="terms", score=3.0, share=0.4, words=("connection pool", "TLS handshake")),
            Factor(name="concepts", score=2.5, share=0.3, words=("authentication",)),
            Factor(name="background", score=2.0, share=0.2),
            Factor(name="algorithms", score=1.5, share=0.1),
        ),
        "term_origins": (TermOrigin(term="connection pool", origin="article"),),
    }
    return Details.model_validate(values | changes)


def a_record(**changes: Any) -> DigestRecord:
    values: dict[str, Any] = {
        "id": "0123456789abcdef01234567",
        "article": ArticleHead(
            title="Connection pools, measured",
            url=URL,
            site="blog.example.com",
            source_type="blog",
            language="en",
            author="Dana Doe",
            publish_date="2025-03-01",
        ),
        "digest": a_digest(),
        "details": details(),
    }
    return DigestRecord.model_validate(values | changes)
