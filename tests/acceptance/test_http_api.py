"""A link or an article goes in over HTTP, a digest comes out; only web and model are replaced."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from support.builders import CONTRACT, an_article
from support.http_client import LINK, PARAGRAPHS, Running, a_page_of, running

from bot.http import problems, samples
from core.digest import Digest
from core.errors import (
    AddressRefused,
    DigestError,
    EngineBusy,
    EngineTimedOut,
    FetchTimedOut,
    LoginWall,
    NotFound,
    PageTooLarge,
    SettingsError,
    SiteUnavailable,
    StorageUnavailable,
    UnsupportedType,
)
from core.places import Platform

PAGE = Path(samples.FOLDER).parent / "page"


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with running() as started:
        yield started


async def test_a_link_becomes_a_digest_with_exactly_the_contracts_keys(server: Running) -> None:
    answer = await server.digest()
    assert answer.status_code == 200
    assert list(answer.json()) == CONTRACT
    assert list(answer.json()["difficulty_level"]) == ["score", "label"]
    digest = Digest.model_validate(answer.json())
    assert digest.summary
    assert digest.processing_time > 0
    assert answer.headers["location"] == f"/v1/digests/{answer.headers['x-digest-id']}"


async def test_the_location_leads_to_the_same_digest(server: Running) -> None:
    made = await server.digest()
    again = await server.client.get(made.headers["location"])
    assert again.json() == made.json()


async def test_details_stand_beside_the_contracts_keys_and_never_replace_them(
    server: Running,
) -> None:
    plain = await server.digest()
    rich = await server.client.post("/v1/digest?details=1", json={"link": LINK})
    assert list(rich.json()) == [*CONTRACT, "id", "article", "details"]
    assert {key: rich.json()[key] for key in CONTRACT} == plain.json()
    assert rich.json()["article"]["url"] == LINK
    assert rich.json()["details"]["sentences"]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_an_article_in_the_input_contract_is_digested(server: Running, wrapped: bool) -> None:
    article = an_article().model_dump(mode="json")
    body = {"article": article, "language": "en"} if wrapped else article
    answer = await server.client.post("/v1/digest", json=body)
    assert answer.status_code == 200, answer.text
    assert list(answer.json()) == CONTRACT
    assert server.web.asked == []


async def test_content_alone_is_an_article(server: Running) -> None:
    answer = await server.client.post("/v1/digest", json={"content": " ".join(PARAGRAPHS)})
    assert answer.status_code == 200


async def test_a_text_that_was_digested_without_its_address_gets_it_later(server: Running) -> None:
    file, known = {"content": " ".join(PARAGRAPHS)}, {"url": "https://www.tech.example/pools"}
    first = await server.client.post("/v1/digest?details=1", json=file)
    assert first.json()["article"]["url"] is None
    answers = server.engine.answers
    for body in (file | known, file, file | {"url": "https://elsewhere.example/copy"}):
        again = await server.client.post("/v1/digest?details=1", json=body)
        assert again.json()["id"] == first.json()["id"]
        assert again.json()["article"]["url"] == known["url"]
        assert again.json()["article"]["site"] == "tech.example"
    assert server.engine.answers == answers


async def test_the_same_text_again_is_answered_from_what_is_kept(server: Running) -> None:
    await server.digest()
    answers = server.engine.answers
    await server.digest()
    assert server.engine.answers == answers
    assert "smartdevdigest_cache_hits_total 1.0" in (await server.client.get("/metrics")).text


async def test_again_makes_it_anew(server: Running) -> None:
    await server.digest()
    answers = server.engine.answers
    await server.digest(again=True)
    assert server.engine.answers > answers


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound(LINK), 404),
        (AddressRefused(LINK), 403),
        (PageTooLarge(LINK), 413),
        (UnsupportedType(LINK), 415),
        (LoginWall(LINK), 422),
        (SiteUnavailable(LINK), 502),
        (FetchTimedOut(LINK), 504),
    ],
)
async def test_trouble_with_a_page_is_a_problem_in_both_languages(
    error: DigestError, status: int
) -> None:
    async with running({LINK: error}) as server:
        answer = await server.digest()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["code"] == error.code
    assert problem["subject"] == LINK
    assert problem["message_en"].isascii() or "’" in problem["message_en"]
    assert any("가" <= char <= "힣" for char in problem["message_ko"])


async def test_the_sites_own_wish_for_a_pause_is_passed_on() -> None:
    async with running({LINK: SiteUnavailable(LINK, retry_after=12.2)}) as server:
        assert (await server.digest()).headers["retry-after"] == "13"


@pytest.mark.parametrize(("error", "status"), [(EngineBusy("e"), 503), (EngineTimedOut("e"), 504)])
async def test_a_busy_engine_is_said_with_its_own_status(
    server: Running, error: DigestError, status: int
) -> None:
    server.engine.trouble = error
    answer = await server.digest()
    assert answer.status_code == status
    assert answer.json()["retryable"] is True
    assert ("retry-after" in answer.headers) is (status == 503)


@pytest.mark.parametrize("link", ["not a link", "ftp://example.com/a", "javascript:alert(1)"])
async def test_what_is_no_link_is_refused(server: Running, link: str) -> None:
    answer = await server.digest(link)
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_link"
    assert server.web.asked == []


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "not a JSON object"),
        ("{}", "neither link"),
        ('{"link": "https://a.example", "article": {"content": "x"}}', "not both"),
        ('{"link": "https://a.example", "langauge": "ko"}', "langauge"),
        ('{"link": "https://a.example", "language": "fr"}', "language"),
        ('{"link": 7}', "link"),
    ],
)
async def test_a_bad_request_says_what_is_wrong(server: Running, body: str, said: str) -> None:
    answer = await server.client.post(
        "/v1/digest", content=body, headers={"content-type": "application/json"}
    )
    assert answer.status_code == 400
    assert said in answer.json()["message_en"]


@pytest.mark.parametrize(
    "article", [{"content": "  "}, {"content": "x", "colour": "red"}, {"content": 5}]
)
async def test_an_article_outside_the_contract_is_refused(
    server: Running, article: dict[str, Any]
) -> None:
    answer = await server.client.post("/v1/digest", json={"article": article})
    assert answer.status_code == 422
    assert answer.json()["code"] == "bad_article"


async def test_a_body_of_another_type_is_refused(server: Running) -> None:
    answer = await server.client.post("/v1/digest", data={"link": LINK})
    assert answer.status_code == 415


async def test_a_body_without_end_is_answered_before_it_ends() -> None:
    async with running(max_body=2048) as server:
        url = server.client.base_url
        reader, writer = await asyncio.open_connection(url.host, url.port)
        head = (
            f"POST /v1/digest HTTP/1.1\r\nHost: {url.host}\r\nContent-Type: application/json\r\n"
            "Transfer-Encoding: chunked\r\n\r\n"
        )
        writer.write(head.encode())
        for _ in range(3):
            writer.write(b"400\r\n" + b"x" * 1024 + b"\r\n")  # and never the last, empty chunk
        async with asyncio.timeout(10):
            answer = (await reader.read()).decode()
        writer.close()
        await writer.wait_closed()
    assert answer.startswith("HTTP/1.1 413")
    assert "body_too_large" in answer


async def test_an_unknown_number_is_a_404_with_a_sentence(server: Running) -> None:
    answer = await server.client.get("/v1/digests/nothing")
    assert answer.status_code == 404
    assert "no digest" in answer.json()["message_en"]


async def test_an_unchanged_digest_is_not_sent_twice(server: Running) -> None:
    made = await server.digest()
    kept = await server.client.get(made.headers["location"])
    same = await server.client.get(
        made.headers["location"], headers={"If-None-Match": kept.headers["etag"]}
    )
    assert same.status_code == 304
    assert same.content == b""


async def test_recent_digests_come_newest_first() -> None:
    other = "https://blog.example.com/other"
    page = a_page_of(*PARAGRAPHS[::-1], title="Another one", url=other)
    async with running({LINK: a_page_of(), other: page}) as server:
        await server.digest()
        await server.digest(other)
        listed = (await server.client.get("/v1/digests?limit=1")).json()["digests"]
        assert [record["article"]["title"] for record in listed] == ["Another one"]
        assert (await server.client.get("/v1/digests?limit=0")).status_code == 400


async def test_a_verdict_is_kept(server: Running) -> None:
    location = (await server.digest()).headers["location"]
    answer = await server.client.post(f"{location}/verdict", json={"verdict": "too_hard"})
    assert answer.status_code == 204
    assert list(server.digests.verdicts.values()) == ["too_hard"]


async def test_a_verdict_nobody_knows_is_refused(server: Running) -> None:
    location = (await server.digest()).headers["location"]
    answer = await server.client.post(f"{location}/verdict", json={"verdict": "superb"})
    assert answer.status_code == 400
    assert server.digests.verdicts == {}


async def test_a_verdict_on_nothing_is_a_404(server: Running) -> None:
    answer = await server.client.post("/v1/digests/nothing/verdict", json={"verdict": "good"})
    assert answer.status_code == 404


async def test_five_questions_are_written_once(server: Running) -> None:
    location = (await server.digest()).headers["location"]
    first = await server.client.post(f"{location}/questions")
    answers = server.engine.answers
    second = await server.client.post(f"{location}/questions")
    assert len(first.json()["questions"]) == 5
    assert second.json() == first.json()
    assert server.engine.answers == answers


async def test_an_own_sample_is_digested_without_asking_the_web(server: Running) -> None:
    for sample in samples.SAMPLES:
        answer = await server.client.post(
            "/v1/digest?details=1", json={"link": server.sample(sample.name)}
        )
        assert answer.status_code == 200, answer.text
        assert answer.json()["article"]["title"] == sample.title
        assert answer.json()["article"]["language"] == sample.language
        assert sample.file.name in answer.json()["article"]["url"]
        read = answer.json()["details"]["words"]
        assert read > 500
    assert server.web.asked == []


async def test_what_stands_around_a_sample_is_not_digested(server: Running) -> None:
    link = server.sample("service-mesh")
    article = await server.service.intake.read(LINK)  # the extractor works on other pages too
    assert article.title
    record = (await server.client.post("/v1/digest?details=1", json={"link": link})).json()
    shown = json.dumps(record)
    for boilerplate in ("Subscribe", "You may also like", "Share this article"):
        assert boilerplate not in shown


@pytest.mark.parametrize(
    "link",
    [
        "http://127.0.0.1:1/samples/service-mesh.html",
        "http://localhost/samples/../../etc/passwd",
        "{here}/samples/nothing.html",
        "{here}/healthz",
    ],
)
async def test_other_loopback_links_go_the_usual_way(server: Running, link: str) -> None:
    answer = await server.digest(link.format(here=server.address))
    assert answer.status_code >= 400
    assert len(server.web.asked) == 1  # the fetcher decides, and the real one refuses


async def test_metrics_count_how_digests_end(server: Running) -> None:
    await server.digest()
    await server.digest("https://blog.example.com/gone")
    text = (await server.client.get("/metrics")).text
    assert 'smartdevdigest_digests_total{outcome="made"} 1.0' in text
    assert 'smartdevdigest_digests_total{outcome="not_found"} 1.0' in text
    assert "smartdevdigest_digest_seconds_count 1.0" in text
    assert "smartdevdigest_in_flight 0.0" in text


async def test_the_description_names_every_address(server: Running) -> None:
    description = (await server.client.get("/openapi.json")).json()
    assert "/v1/digest" in description["paths"]
    body = description["paths"]["/v1/digest"]["post"]["requestBody"]
    kinds = body["content"]["application/json"]["schema"]["anyOf"]
    assert [kind["title"] for kind in kinds] == ["LinkBody", "ArticleBody", "Article"]
    assert (await server.client.get("/docs")).status_code == 200
    assert (await server.client.get("/healthz")).json() == {"status": "ok"}


class Chat:
    """A chat that ended, or did not."""

    def __init__(self, platform: Platform, ended_by: str = "") -> None:
        self.platform = platform
        self.ended_by = ended_by
        self.routes = ()

    @property
    def chat(self) -> Any:
        return self

    async def start(self) -> None: ...

    async def close(self) -> None: ...


async def test_it_is_ready_until_a_chat_has_ended_and_says_why() -> None:
    slack, discord = Chat("slack"), Chat("discord")
    async with running(surfaces=[slack, discord]) as server:
        assert (await server.client.get("/readyz")).status_code == 200
        discord.ended_by = "the token was taken back"
        answer = await server.client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json()["chats"] == {"discord": "the token was taken back"}
        assert (await server.client.get("/healthz")).status_code == 200, "the rest goes on"


async def test_it_is_not_ready_while_the_database_or_every_model_server_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def gone(limit: int) -> list[object]:
        raise StorageUnavailable("recent", "connection refused")

    async with running() as server:
        servers = {"http://one/v1": False, "http://other/v1": True}
        monkeypatch.setattr(server.engine, "healthy", servers, raising=False)
        assert (await server.client.get("/readyz")).status_code == 200, "the other answers"
        servers["http://other/v1"] = False
        monkeypatch.setattr(server.digests, "recent", gone)
        answer = await server.client.get("/readyz")
        assert answer.status_code == 503
        assert answer.json() == {"status": "away", "away": ["database", "model"]}
        assert (await server.client.get("/healthz")).status_code == 200, "a restart helps nobody"


@pytest.mark.parametrize(("path", "status"), [("/nothing", 404), ("/v1/digest", 405)])
async def test_wrong_addresses_are_answered_as_problems(
    server: Running, path: str, status: int
) -> None:
    answer = await server.client.get(path)
    assert answer.status_code == status
    assert answer.json()["message_ko"]


def _kinds(kind: type[DigestError]) -> Iterator[type[DigestError]]:
    yield kind
    for kin in kind.__subclasses__():
        yield from _kinds(kin)


def test_every_expected_error_has_its_status() -> None:
    codes = {kind.code for kind in _kinds(DigestError) if kind.__module__ == "core.errors"}
    assert codes - {SettingsError.code, DigestError.code} == set(problems.STATUS)


def test_no_file_of_the_page_names_another_machine() -> None:
    files = [*PAGE.iterdir(), *samples.FOLDER.iterdir()]
    assert len(files) > 10
    for file in files:
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        for mark in ('src="http', 'href="http', "url(http", "@import", 'from "http', "//cdn"):
            assert mark not in text, f"{file.name} has {mark}"


def test_the_samples_titles_are_those_of_their_files() -> None:
    for sample in samples.SAMPLES:
        assert f"<h1>{sample.title}</h1>" in sample.file.read_text(encoding="utf-8")
