"""Terms, questions and searches over the JSON API."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.http_client import Running, running

from core.article import Article

POOLS = Article(
    title="Connection pools",
    url="https://blog.example.com/pools",
    content=(
        "A connection pool keeps database connections open and hands them to requests. "
        "A pool that is too large overloads the database server."
    ),
)
KOREAN = Article(
    title="멱등한 결제",
    url="https://tech.example.kr/idempotent",
    content="멱등성이란 같은 요청을 여러 번 보내도 결과가 달라지지 않는 성질을 말합니다.",
)


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with running() as server:
        await server.library.read(POOLS, difficulty=2.0, keywords=["pool size"])
        await server.library.read(KOREAN, difficulty=4.0)
        yield server


async def test_a_term_is_explained_with_its_article(server: Running) -> None:
    answer = await server.client.get("/v1/explain", params={"term": "CONNECTION POOLS"})
    found = answer.json()
    assert found["origin"] == "article"
    assert found["explanation"].startswith("A connection pool keeps")
    assert found["article"]["url"] == POOLS.url
    assert found["said"][0]["article"]["link"] == POOLS.url
    assert found["easiest"]["label"] == "elementary"


async def test_a_term_of_the_glossary_is_explained_with_its_credit(server: Running) -> None:
    params = {"term": "Service-Mesh", "language": "ko"}
    found = (await server.client.get("/v1/explain", params=params)).json()
    assert (found["origin"], found["language"]) == ("glossary", "ko")
    assert "CC BY" in found["credit"]


async def test_an_unknown_term_is_honestly_unknown(server: Running) -> None:
    answer = await server.client.get("/v1/explain", params={"term": "conection pol size"})
    assert answer.status_code == 404
    assert answer.json()["code"] == "unknown_term"
    answer = await server.client.get("/v1/explain", params={"term": "pool sise"})
    assert answer.json()["near"] == ["pool size"]


async def test_terms_are_offered_while_one_is_typed(server: Running) -> None:
    found = (await server.client.get("/v1/terms", params={"q": "poo", "limit": 5})).json()
    assert found["terms"][0] == "pool size"
    assert len(found["terms"]) <= 5


async def test_a_question_is_answered_with_its_sources_and_asked_on(server: Running) -> None:
    first = "What does a connection pool keep open?"
    found = (await server.client.post("/v1/ask", json={"question": first})).json()
    assert found["answered"] is True
    assert "keeps database connections open" in found["answer"]["sentences"][0]["text"]
    assert found["answer"]["citations"][0]["link"] == POOLS.url
    further = {"question": "And when it is too large?", "earlier": [first]}
    found = (await server.client.post("/v1/ask", json=further)).json()
    assert "overloads" in found["answer"]["sentences"][0]["text"]


async def test_what_was_not_read_is_not_answered(server: Running) -> None:
    found = (await server.client.post("/v1/ask", json={"question": "빵은 어떻게 굽나요?"})).json()
    assert found["answered"] is False
    assert found["answer"] is None


@pytest.mark.parametrize(
    "body",
    [{}, {"question": " "}, {"question": "x" * 601}, {"question": "x", "earlier": ["y"] * 9},
     {"question": "x", "more": 1}, {"question": 5}],
)  # fmt: skip
async def test_a_question_that_is_none_is_refused(server: Running, body: object) -> None:
    answer = await server.client.post("/v1/ask", json=body)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_articles_are_searched_with_filters(server: Running) -> None:
    async def titles(**params: object) -> list[str]:
        answer = await server.client.get("/v1/search", params=params)  # type: ignore[arg-type]
        return [hit["title"] for hit in answer.json()["hits"]]

    assert await titles(q="connection pool") == ["Connection pools"]
    assert await titles(q="connection pool", level="4-5") == []
    assert await titles(q="connection pool level:2") == ["Connection pools"]
    assert await titles(language="ko") == ["멱등한 결제"]
    assert await titles(site="blog.example.com") == ["Connection pools"]
    assert await titles(since="2027-01-01") == []
    assert await titles() == ["멱등한 결제", "Connection pools"]
    refused = await server.client.get("/v1/search", params={"level": "hard"})
    assert (refused.status_code, refused.json()["subject"]) == (400, "level:hard")
