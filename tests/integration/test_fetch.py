"""SafeWeb against a real server on this machine that misbehaves in every way we know."""

from __future__ import annotations

import asyncio
import gzip
import ssl
import subprocess
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from support.web_server import WebServer, an_article, serving, web_settings

from core.errors import (
    AddressRefused,
    BadLink,
    FetchFailed,
    FetchTimedOut,
    LoginWall,
    NotFound,
    PageTooLarge,
    RobotsRefused,
    ScriptWall,
    SiteUnavailable,
    TooManyRedirects,
    UnsupportedType,
)
from core.web.fetch import SafeWeb

MB = 1024 * 1024


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    async with serving() as running:
        yield running


@asynccontextmanager
async def a_web(server: WebServer, **changes: object) -> AsyncIterator[SafeWeb]:
    web = SafeWeb(web_settings(server, **changes))
    try:
        yield web
    finally:
        await web.close()


class Turncoat:
    """A name server that answers differently every time: public first, private afterwards."""

    def __init__(self, *answers: str) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return [self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]]


# --- good answers


async def test_a_page_comes_with_what_is_needed_to_ask_again(server: WebServer) -> None:
    server.page(
        "/a",
        an_article(),
        headers={"ETag": '"v1"', "Last-Modified": "Mon, 05 Jan 2026 10:00:00 GMT"},
    )
    async with a_web(server) as web:
        page = await web.fetch(server.url("/a"))
    assert page.url == server.url("/a")
    assert page.body == an_article().encode()
    assert (page.content_type, page.charset) == ("text/html", "utf-8")
    assert (page.etag, page.last_modified) == ('"v1"', "Mon, 05 Jan 2026 10:00:00 GMT")


async def test_redirects_are_followed_and_the_page_knows_where_they_ended(
    server: WebServer,
) -> None:
    server.redirect("/1", "/2", 301)
    server.redirect("/2", server.url("/3"), 307)
    server.page("/3", an_article())
    async with a_web(server) as web:
        assert (await web.fetch(server.url("/1"))).url == server.url("/3")


def _raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


@pytest.mark.parametrize(
    ("encoding", "packed"),
    [
        ("gzip", gzip.compress(an_article(3000).encode())),
        ("gzip", gzip.compress(an_article(3000).encode()[:99])
            + gzip.compress(an_article(3000).encode()[99:])),
        ("deflate", zlib.compress(an_article(3000).encode())),
        ("deflate", _raw_deflate(an_article(3000).encode())),
    ],
)  # fmt: skip
async def test_a_packed_body_is_unpacked(server: WebServer, encoding: str, packed: bytes) -> None:
    server.page("/a", packed, headers={"Content-Encoding": encoding})
    async with a_web(server) as web:
        assert (await web.fetch(server.url("/a"))).body == an_article(3000).encode()


async def test_only_what_can_be_unpacked_bit_by_bit_is_asked_for(server: WebServer) -> None:
    server.page("/a", an_article())
    async with a_web(server) as web:
        await web.fetch(server.url("/a"))
    asked = next(request for request in server.requests if request.path == "/a")
    assert asked.headers["accept-encoding"] == "gzip, deflate"


@pytest.mark.parametrize(
    ("path", "header", "body", "kind"),
    [
        ("/a", "text/html", b"<p>x", "text/html"),
        ("/a", "application/xhtml+xml", b"<html/>", "application/xhtml+xml"),
        ("/a", "application/pdf", b"%PDF-1.4", "application/pdf"),
        ("/a", "text/html", b"%PDF-1.4", "application/pdf"),
        ("/a", "application/octet-stream", b"%PDF-1.4", "application/pdf"),
        ("/a", None, b"<!doctype html><p>x", "text/html"),
        ("/a", "text/plain", b"x", "text/plain"),
        ("/a.md", "text/plain", b"# x", "text/markdown"),
        ("/a", "text/markdown", b"# x", "text/markdown"),
        ("/a.md", "application/octet-stream", b"# x", "text/markdown"),
        ("/a", "application/octet-stream", b"just text", "text/plain"),
    ],
)
async def test_the_kind_of_a_page_is_told_by_header_and_first_bytes(
    server: WebServer, path: str, header: str | None, body: bytes, kind: str
) -> None:
    server.page(path, body, header)
    async with a_web(server) as web:
        assert (await web.fetch(server.url(path))).content_type == kind


# --- failures, each its own error


@pytest.mark.parametrize("link", ["", "not a link", "ftp://example.com/", "javascript:alert(1)"])
async def test_what_is_no_link_is_not_asked(server: WebServer, link: str) -> None:
    async with a_web(server) as web:
        with pytest.raises(BadLink):
            await web.fetch(link)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (404, NotFound),
        (410, NotFound),
        (401, LoginWall),
        (402, LoginWall),
        (403, SiteUnavailable),
        (418, FetchFailed),
        (500, SiteUnavailable),
        (503, SiteUnavailable),
    ],
)
async def test_a_failing_status_is_its_own_error(
    server: WebServer, status: int, error: type[Exception]
) -> None:
    server.page("/a", "sorry", status=status)
    async with a_web(server) as web:
        with pytest.raises(error, match=str(status)) as failed:
            await web.fetch(server.url("/a"))
    assert type(failed.value) is error


async def test_too_many_requests_carries_the_wish_of_the_site(server: WebServer) -> None:
    server.page("/a", "", status=429, headers={"Retry-After": "120"})
    async with a_web(server) as web:
        with pytest.raises(SiteUnavailable) as failed:
            await web.fetch(server.url("/a"))
    assert failed.value.retry_after == 120.0
    assert failed.value.retryable


@pytest.mark.parametrize(
    ("status", "body", "headers", "error"),
    [
        (403, "<title>Just a moment...</title>", {}, ScriptWall),
        (403, "", {"cf-mitigated": "challenge"}, ScriptWall),
        (403, "<form><input type='password'></form>", {}, LoginWall),
    ],
)
async def test_a_refusal_says_whether_a_human_or_a_member_is_wanted(
    server: WebServer, status: int, body: str, headers: dict[str, str], error: type[Exception]
) -> None:
    server.page("/a", body, status=status, headers=headers)
    async with a_web(server) as web:
        with pytest.raises(error):
            await web.fetch(server.url("/a"))


async def test_a_refused_connection_is_an_unavailable_site(server: WebServer) -> None:
    async with serving() as gone:
        dead = gone.url("/a")
        host = gone.host
    async with a_web(server, allow_hosts=(host,)) as web:
        with pytest.raises(SiteUnavailable):
            await web.fetch(dead)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 500\r\n\r\nshort",
        b"\x16\x03\x01 this is not HTTP at all\r\n\r\n",
    ],
)
async def test_a_broken_answer_is_an_unavailable_site(server: WebServer, answer: bytes) -> None:
    server.raw("/a", answer)
    async with a_web(server) as web:
        with pytest.raises(SiteUnavailable):
            await web.fetch(server.url("/a"))


async def test_a_broken_gzip_body_is_an_unavailable_site(server: WebServer) -> None:
    server.page("/a", b"not gzip at all", headers={"Content-Encoding": "gzip"})
    async with a_web(server) as web:
        with pytest.raises(SiteUnavailable, match="broken"):
            await web.fetch(server.url("/a"))


@pytest.mark.parametrize(
    ("header", "body"),
    [
        ("image/png", b"\x89PNG\r\n"),
        ("video/mp4", b"x"),
        ("application/json", b"{}"),
        ("application/rss+xml", b"<rss/>"),
        ("text/xml", b"<?xml version='1.0'?><rss/>"),
        ("application/octet-stream", b"PK\x03\x04zip"),
        ("text/html", b"\x89PNG\r\n\x00"),
        ("application/pdf", b"no PDF at all"),
    ],
)
async def test_what_is_no_text_is_an_unsupported_type(
    server: WebServer, header: str, body: bytes
) -> None:
    server.page("/a", body, header)
    async with a_web(server) as web:
        with pytest.raises(UnsupportedType):
            await web.fetch(server.url("/a"))


async def test_a_packing_that_was_not_asked_for_is_an_unsupported_type(server: WebServer) -> None:
    server.page("/a", b"xx", headers={"Content-Encoding": "br"})
    async with a_web(server) as web:
        with pytest.raises(UnsupportedType, match="br"):
            await web.fetch(server.url("/a"))


# --- redirects


async def test_a_redirect_loop_ends(server: WebServer) -> None:
    server.redirect("/1", "/2")
    server.redirect("/2", "/1")
    async with a_web(server) as web:
        with pytest.raises(TooManyRedirects):
            await web.fetch(server.url("/1"))
    assert server.asked("/1") + server.asked("/2") == 6


async def test_five_redirects_are_followed_and_six_are_not(server: WebServer) -> None:
    for n in range(6):
        server.redirect(f"/{n}", f"/{n + 1}")
    server.page("/6", an_article())
    async with a_web(server) as web:
        assert (await web.fetch(server.url("/1"))).url == server.url("/6")
        with pytest.raises(TooManyRedirects):
            await web.fetch(server.url("/0"))


FORBIDDEN = [
    "http://169.254.169.254/latest/meta-data/",
    "http://127.0.0.1/",
    "http://[::1]/",
    "http://0x7f.1/",
    "http://2130706433/",
    "http://017700000001/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://10.0.0.1/",
    "http://[fd00:ec2::254]/",
    "http://metadata.google.internal/",
    "http://localhost/",
    "http://0/",
]


@pytest.mark.parametrize("link", FORBIDDEN)
async def test_a_link_to_a_forbidden_address_is_refused(server: WebServer, link: str) -> None:
    async with a_web(server) as web:
        with pytest.raises(AddressRefused):
            await web.fetch(link)


@pytest.mark.parametrize("target", FORBIDDEN)
async def test_a_redirect_to_a_forbidden_address_is_refused(server: WebServer, target: str) -> None:
    server.redirect("/a", target)
    async with a_web(server) as web:
        with pytest.raises(AddressRefused):
            await web.fetch(server.url("/a"))


@pytest.mark.parametrize(
    "target",
    ["ftp://example.com/", "javascript:alert(1)", "file:///etc/passwd", "http://u:p@h.example/"],
)
async def test_a_redirect_to_what_is_no_link_is_refused(server: WebServer, target: str) -> None:
    server.redirect("/a", target)
    async with a_web(server) as web:
        with pytest.raises(BadLink):
            await web.fetch(server.url("/a"))


async def test_another_port_of_an_allowed_host_is_refused(server: WebServer) -> None:
    async with serving() as other:
        other.page("/secret", an_article())
        server.redirect("/a", other.url("/secret"))
        async with a_web(server) as web:
            with pytest.raises(AddressRefused):
                await web.fetch(server.url("/a"))
    assert other.requests == []


async def test_a_name_that_resolves_to_a_private_address_is_refused(server: WebServer) -> None:
    web = SafeWeb(web_settings(), resolver=Turncoat("10.0.0.1"))
    with pytest.raises(AddressRefused, match="private"):
        await web.fetch("http://innocent.example/")
    await web.close()


async def test_a_rebinding_name_is_dialled_only_where_it_was_checked(server: WebServer) -> None:
    """First a public address, then this machine: nothing may arrive here."""
    server.page("/a", an_article())
    turncoat = Turncoat("192.0.2.1", "127.0.0.1")
    settings = web_settings(respect_robots=False, timeout=2.0)
    web = SafeWeb(settings, resolver=turncoat)
    with pytest.raises(FetchFailed):
        await web.fetch(server.url("/a", host="rebind.example"))
    await web.close()
    assert server.requests == []


async def test_a_name_is_resolved_once_a_request_and_dialled_at_that_address(
    server: WebServer,
) -> None:
    server.page("/a", an_article())
    turncoat = Turncoat("127.0.0.1", "192.0.2.1")
    settings = web_settings(
        allow_hosts=(f"wiki.example:{server.port}",), respect_robots=False, timeout=5.0
    )
    web = SafeWeb(settings, resolver=turncoat)
    page = await web.fetch(server.url("/a", host="wiki.example"))
    await web.close()
    assert page.url == server.url("/a", host="wiki.example")
    assert turncoat.asked == 1
    assert server.requests[0].headers["host"] == f"wiki.example:{server.port}"


async def test_a_second_address_is_tried_where_the_first_takes_no_connections(
    server: WebServer,
) -> None:
    server.page("/a", an_article())

    async def both(host: str, port: int) -> list[str]:
        return ["::1", "127.0.0.1"]  # the server listens on v4 only

    settings = web_settings(allow_hosts=("wiki.example",), respect_robots=False)
    web = SafeWeb(settings, resolver=both)
    assert (await web.fetch(server.url("/a", host="wiki.example"))).body
    await web.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=wiki.example"
    extra = ["-addext", "subjectAltName=DNS:wiki.example", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*command.split(), *extra], check=True, capture_output=True)
    return key, cert


async def test_tls_asks_for_the_name_although_the_address_is_dialled(
    certificate: tuple[Path, Path],
) -> None:
    key, cert = certificate
    serverside = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serverside.load_cert_chain(cert, key)
    trusting = ssl.create_default_context(cafile=str(cert))
    async with serving(serverside) as server:
        server.page("/a", an_article())
        settings = web_settings(allow_hosts=("wiki.example", "other.example"), respect_robots=False)
        web = SafeWeb(settings, resolver=Turncoat("127.0.0.1"), ssl_context=trusting)
        assert (await web.fetch(server.url("/a", host="wiki.example"))).body
        with pytest.raises(SiteUnavailable, match="certificate"):
            await web.fetch(server.url("/a", host="other.example"))
        await web.close()


# --- too large, too slow


async def test_a_body_of_200_mb_is_stopped_at_the_cap(server: WebServer) -> None:
    server.stream("/a", lambda: (b"x" * MB for _ in range(200)), {"Content-Type": "text/plain"})
    async with a_web(server) as web:
        with pytest.raises(PageTooLarge):
            await web.fetch(server.url("/a"))
    assert server.sent < 30 * MB


async def test_an_announced_size_beyond_the_cap_is_refused_unread(server: WebServer) -> None:
    server.stream(
        "/a",
        lambda: (b"x" * MB for _ in range(200)),
        {"Content-Type": "text/plain", "Content-Length": str(200 * MB)},
    )
    async with a_web(server) as web:
        with pytest.raises(PageTooLarge):
            await web.fetch(server.url("/a"))
    assert server.sent < 8 * MB


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_is_stopped_without_being_expanded(server: WebServer, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    bomb = pack(b"\0" * (200 * MB))
    assert len(bomb) < MB
    server.page("/a", bomb, "text/plain", headers={"Content-Encoding": encoding})
    async with a_web(server) as web:
        tracemalloc.start()
        with pytest.raises(PageTooLarge):
            await web.fetch(server.url("/a"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert peak < 40 * MB


async def test_a_body_is_held_once(server: WebServer) -> None:
    body = b"word " * (2 * MB)
    server.page("/a", body, "text/plain")
    async with a_web(server) as web:
        tracemalloc.start()
        page = await web.fetch(server.url("/a"))
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert len(page.body) == len(body)
    # the server of this test runs in the same process and joins head and body once
    assert peak < 2.6 * len(body)


@pytest.mark.parametrize("headers_too", [False, True])
async def test_a_site_that_drips_is_left_in_time(server: WebServer, headers_too: bool) -> None:
    server.slow("/a", headers_too=headers_too)
    async with a_web(server, timeout=0.5) as web:
        began = time.monotonic()
        with pytest.raises(FetchTimedOut):
            await web.fetch(server.url("/a"))
    assert time.monotonic() - began < 10.0


async def test_a_slow_name_server_counts_too(server: WebServer) -> None:
    async def never(host: str, port: int) -> list[str]:
        await asyncio.sleep(60)
        return []

    web = SafeWeb(web_settings(timeout=0.3, respect_robots=False), resolver=never)
    with pytest.raises(FetchTimedOut):
        await web.fetch("https://slow.example/")
    await web.close()


# --- polite


async def test_what_robots_txt_forbids_is_not_asked(server: WebServer) -> None:
    server.page("/robots.txt", "User-agent: *\nDisallow: /private", "text/plain")
    server.page("/private/a", an_article())
    server.page("/b", an_article())
    async with a_web(server) as web:
        with pytest.raises(RobotsRefused):
            await web.fetch(server.url("/private/a"))
        await web.fetch(server.url("/b"))
    assert server.asked("/private/a") == 0
    assert server.asked("/robots.txt") == 1


async def test_rules_for_this_reader_by_name_go_before_rules_for_all(server: WebServer) -> None:
    rules = "User-agent: *\nDisallow: /\n\nUser-agent: SmartDevDigest\nDisallow: /no/*.html$\n"
    server.page("/robots.txt", rules, "text/plain")
    server.page("/a", an_article())
    async with a_web(server) as web:
        await web.fetch(server.url("/a"))
        with pytest.raises(RobotsRefused):
            await web.fetch(server.url("/no/a.html"))


async def test_a_redirect_into_a_forbidden_part_is_not_followed(server: WebServer) -> None:
    server.page("/robots.txt", "User-agent: *\nDisallow: /private", "text/plain")
    server.redirect("/a", "/private/a")
    async with a_web(server) as web:
        with pytest.raises(RobotsRefused):
            await web.fetch(server.url("/a"))
    assert server.asked("/private/a") == 0


async def test_without_robots_txt_a_site_is_read(server: WebServer) -> None:
    server.page("/a", an_article())
    async with a_web(server) as web:
        assert (await web.fetch(server.url("/a"))).body


@pytest.mark.parametrize("status", [403, 500])
async def test_a_robots_txt_that_fails_forbids_nothing(server: WebServer, status: int) -> None:
    server.page("/robots.txt", "User-agent: *\nDisallow: /", "text/plain", status=status)
    server.page("/a", an_article())
    async with a_web(server) as web:
        assert (await web.fetch(server.url("/a"))).body


async def test_robots_txt_is_not_asked_where_the_setting_says_so(server: WebServer) -> None:
    server.page("/robots.txt", "User-agent: *\nDisallow: /", "text/plain")
    server.page("/a", an_article())
    async with a_web(server, respect_robots=False) as web:
        assert (await web.fetch(server.url("/a"))).body
    assert server.asked("/robots.txt") == 0


async def test_a_robots_txt_that_leads_to_a_forbidden_address_is_not_followed(
    server: WebServer,
) -> None:
    async with serving() as other:
        server.redirect("/robots.txt", other.url("/robots.txt"))
        server.page("/a", an_article())
        async with a_web(server) as web:
            assert (await web.fetch(server.url("/a"))).body
    assert other.requests == []


async def test_a_cookie_lives_as_long_as_its_redirects(server: WebServer) -> None:
    server.page("/a", b"", None, status=302, headers={"Location": "/b", "Set-Cookie": "seen=1"})
    server.page("/b", an_article())
    async with a_web(server) as web:
        await web.fetch(server.url("/a"))
        await web.fetch(server.url("/b"))
    cookies = [r.headers.get("cookie") for r in server.requests if r.path == "/b"]
    assert cookies == ["seen=1", None]


async def test_proxies_of_the_environment_are_not_used(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    server.page("/a", an_article())
    async with a_web(server) as web:
        assert (await web.fetch(server.url("/a"))).body
