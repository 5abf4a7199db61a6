"""Who is let in: hosts, origins, tokens, and what a browser is told to allow."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from support.http_client import LINK, Running, running

from bot.http.app import check_exposure
from bot.http.security import is_loopback
from core.errors import SettingsError
from core.settings import HttpSettings, Settings

TOKEN = "a-token-of-this-test"  # noqa: S105


@pytest.fixture
async def server() -> AsyncIterator[Running]:
    async with running() as started:
        yield started


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.nip.io", "localhost.evil.example", ""])
async def test_a_rebound_name_is_not_answered(server: Running, host: str) -> None:
    answer = await server.client.get("/v1/digests", headers={"Host": host})
    assert answer.status_code in (400, 403)
    assert (await server.client.get("/", headers={"Host": host})).status_code in (400, 403)


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8765"])
async def test_loopback_names_are_answered_on_any_port(server: Running, host: str) -> None:
    assert (await server.client.get("/v1/digests", headers={"Host": host})).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_another_site_cannot_post(server: Running, headers: dict[str, str]) -> None:
    answer = await server.client.post("/v1/digest", json={"link": LINK}, headers=headers)
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden_origin"
    assert server.web.asked == []


async def test_the_page_itself_can_post(server: Running) -> None:
    headers = {"Origin": server.address, "Sec-Fetch-Site": "same-origin"}
    answer = await server.client.post("/v1/digest", json={"link": LINK}, headers=headers)
    assert answer.status_code == 200


async def test_every_answer_carries_the_strict_headers(server: Running) -> None:
    for path in ("/", "/page/app.js", "/samples/service-mesh.html", "/v1/digests", "/nothing"):
        headers = (await server.client.get(path)).headers
        policy = headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Basic " + TOKEN, TOKEN, "Bearer x y"])
async def test_without_the_token_the_api_is_closed(given: str | None) -> None:
    async with running(token=TOKEN) as server:
        headers = {} if given is None else {"Authorization": given}
        for path in ("/v1/digests", "/metrics", "/v1/words"):
            answer = await server.client.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Bearer"
        assert (await server.client.get("/")).status_code == 200
        assert (await server.client.get("/healthz")).status_code == 200


async def test_with_the_token_it_is_open() -> None:
    async with running(token=TOKEN) as server:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        assert (await server.client.get("/v1/digests", headers=headers)).status_code == 200


async def test_bound_to_others_any_name_is_answered_with_the_token() -> None:
    async with running(host="0.0.0.0", token=TOKEN) as server:  # noqa: S104
        headers = {"Authorization": f"Bearer {TOKEN}", "Host": "digest.intranet.example"}
        assert (await server.client.get("/v1/digests", headers=headers)).status_code == 200


@pytest.mark.parametrize("token", [None, "", "   "])
def test_starting_for_others_without_a_token_is_a_clear_mistake(token: str | None) -> None:
    settings = Settings(http=HttpSettings.model_validate({"host": "0.0.0.0", "token": token}))  # noqa: S104
    with pytest.raises(SettingsError, match=r"http\.token"):
        check_exposure(settings)


def test_starting_on_loopback_needs_no_token() -> None:
    check_exposure(Settings())


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("[::1]", True),
        ("LOCALHOST", True),
        ("0.0.0.0", False),  # noqa: S104
        ("::", False),
        ("192.168.0.5", False),
        ("localhost.example", False),
        ("", False),
    ],
)
def test_only_this_machine_is_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


@pytest.mark.parametrize(
    "path", ["/page/../app.py", "/page/%2e%2e/app.py", "/samples/..%2f..%2fapp.html"]
)
async def test_files_beside_the_page_are_not_served(server: Running, path: str) -> None:
    answer = await server.client.get(path)
    assert answer.status_code == 404
    assert "create_app" not in answer.text
