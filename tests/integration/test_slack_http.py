"""Slack by HTTP: nobody else gets in; and the way a workspace installs the bot."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr
from slack_sdk.oauth.installation_store.models.installation import Installation
from slack_sdk.oauth.installation_store.sqlalchemy import AsyncSQLAlchemyInstallationStore
from slack_sdk.oauth.state_store.sqlalchemy import AsyncSQLAlchemyOAuthStateStore
from sqlalchemy.ext.asyncio import create_async_engine
from starlette.applications import Starlette
from support.served import served
from support.slack_bot import SlackBot, build_bot, digests_in, quiet
from support.slack_delivery import HttpRoad
from support.slack_server import SlackServer, slack_server
from support.subscribed import SubscribedWorld

from bot.slack.feeds import KNOWN
from bot.slack.installations import ByTeam, Installations
from bot.slack.permissions import SCOPES
from core.errors import ChatRefused
from core.places import Place, SharedLink

LINK = "https://a.example/post"

# slack_sdk says who it is by a class that aiohttp is going to give up.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated:DeprecationWarning")


@dataclass
class ByHttp:
    slack: SlackServer
    bot: SlackBot
    address: str

    @property
    def road(self) -> HttpRoad:
        assert self.slack._http_road is not None
        return self.slack._http_road


@asynccontextmanager
async def by_http(**changes: Any) -> AsyncIterator[ByHttp]:
    async with slack_server() as slack:
        slack.pacing = None
        bot = build_bot(slack, mode="http", app_token=None, **changes)
        await bot.surface.start()
        try:
            async with served(Starlette(routes=bot.surface.routes)) as address:
                slack.use_http(f"{address}/slack/events")
                yield ByHttp(slack, bot, address)
        finally:
            await bot.work.end()
            await bot.surface.close()


async def test_links_commands_presses_and_forms_come_by_http() -> None:
    async with by_http() as over:
        slack, channel = over.slack, over.slack.channel("C1")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        [answer] = await slack.until(lambda: digests_in(slack, channel, ts))
        pressed = await slack.press(answer, "sdd:terms", user="U1")
        await slack.until(lambda: pressed.messages)
        await slack.command("/digest", "settings", user="U1", channel=channel)
        [view] = await slack.until(slack.views)
        await slack.submit(view, {"mode": "off"})
        await slack.until(lambda: over.bot.profiles.profiles)
        assert all(attempt.acked for attempt in slack.attempts)
        assert not slack.failures
        assert slack.sockets.opened == 0


async def test_the_list_of_feeds_to_choose_from_is_answered_by_http() -> None:
    async with by_http() as over:
        slack, world = over.slack, SubscribedWorld()
        over.bot.surface._desk.commands.subscribing = world.subscribing
        slack.user("U1", is_admin=True)
        await slack.command("/digest", "subscribe", user="U1", channel=slack.channel("C1"))
        [view] = await slack.until(slack.views)
        found = await slack.suggest(view, KNOWN, "geeknews")
        assert found.values == ["https://news.hada.io/rss/news"]
        assert (found.attempt.via, found.attempt.status) == (over.road.url, 200)
        assert not slack.failures


async def test_slack_may_verify_the_address() -> None:
    async with by_http() as over:
        assert await over.road.verify("a-challenge") == (200, '{"challenge": "a-challenge"}')


@pytest.mark.parametrize(
    ("timestamp", "signature"),
    [
        (None, "v0=" + "0" * 64),
        (None, ""),
        (None, "no signature at all"),
        ("ten minutes ago", None),
        ("in ten minutes", None),
        ("not a number", None),
        ("", None),
        ("１７００００００００", None),
        ("9" * 400, None),
        ("-1", None),
        ("1e3", None),
    ],
)
async def test_what_slack_did_not_sign_just_now_is_not_heard(
    timestamp: str | None, signature: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    async with by_http() as over:
        event = {"type": "message", "channel": "C1", "user": "U1", "ts": "1.0", "text": f"<{LINK}>"}
        now = int(time.time())
        moments = {"ten minutes ago": str(now - 600), "in ten minutes": str(now + 600)}
        timestamp = moments.get(timestamp or "", timestamp)
        if timestamp is not None and not timestamp.isascii():
            timestamp = timestamp.encode("utf-8").decode("latin-1")
        attempt = await over.slack.post_event(
            over.road.url, event, timestamp=timestamp, signature=signature
        )
        assert attempt.status == 401
        assert over.bot.accepted == []
        assert "Traceback" not in caplog.text


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"payload=%7B"])
async def test_an_unsigned_body_is_not_even_parsed(body: bytes) -> None:
    async with by_http() as over:
        assert over.slack.http is not None
        headers = {"X-Slack-Request-Timestamp": str(int(time.time()))}
        async with over.slack.http.post(over.road.url, data=body, headers=headers) as answer:
            assert answer.status == 401


async def test_a_huge_body_is_not_read() -> None:
    async with by_http() as over:
        host, port = over.address.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        head = f"POST /slack/events HTTP/1.1\r\nHost: {host}\r\nContent-Length: 2000000\r\n"
        writer.write(f"{head}X-Slack-Request-Timestamp: {int(time.time())}\r\n\r\n".encode())
        assert (await reader.readline()).startswith(b"HTTP/1.1 413")
        writer.close()
        await writer.wait_closed()


async def test_a_body_that_grows_is_given_up() -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 100_000

    async with by_http() as over:
        assert over.slack.http is not None
        headers = {"X-Slack-Request-Timestamp": str(int(time.time()))}
        try:
            async with over.slack.http.post(
                over.road.url, data=endless(), headers=headers
            ) as answer:
                assert answer.status == 413
        except aiohttp.ClientError:
            pass  # it hung up on us, which is as good


async def test_a_link_that_cannot_be_kept_is_answered_with_an_error_and_comes_again() -> None:
    async with by_http() as over:
        slack, channel = over.slack, over.slack.channel("C1")
        slack.deliveries.retry_after = (0.2,)
        over.bot.deliveries.away = True
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: slack.attempts and slack.attempts[0].status)
        assert slack.attempts[0].status == 503
        over.bot.deliveries.away = False
        await slack.until(lambda: digests_in(slack, channel, ts))
        await quiet(slack, over.bot)
        assert len(slack.answers(channel, ts)) == 1


async def test_before_it_has_started_slack_is_asked_to_come_again() -> None:
    async with slack_server() as slack:
        bot = build_bot(slack, mode="http", app_token=None)
        async with served(Starlette(routes=bot.surface.routes)) as address:
            event = {"type": "message", "channel": "C1"}
            attempt = await slack.post_event(f"{address}/slack/events", event)
            assert attempt.status == 503


# --- many workspaces


@asynccontextmanager
async def for_many(tmp_path: Path, mode: str = "http") -> AsyncIterator[ByHttp]:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'slack.db'}")
    async with AsyncExitStack() as stack:
        stack.push_async_callback(engine.dispose)
        slack = await stack.enter_async_context(slack_server())
        installations = AsyncSQLAlchemyInstallationStore(slack.client_id, engine)
        states = AsyncSQLAlchemyOAuthStateStore(600, engine)
        async with engine.begin() as connection:
            await connection.run_sync(installations.metadata.create_all)
            await connection.run_sync(states.metadata.create_all)
        slack.pacing = None
        bot = build_bot(
            slack,
            mode=mode,
            bot_token=None,
            app_token=None if mode == "http" else SecretStr(slack.app_token),
            client_id=slack.client_id,
            client_secret=SecretStr(slack.client_secret),
            installation_store=installations,
            state_store=states,
        )
        await bot.surface.start()
        try:
            async with served(Starlette(routes=bot.surface.routes)) as address:
                if mode == "http":
                    slack.use_http(f"{address}/slack/events")
                yield ByHttp(slack, bot, address)
        finally:
            await bot.work.end()
            await bot.surface.close()


async def install(over: ByHttp, team: str, *, state: str | None = None) -> int:
    """A person in the browser: the page, Slack's consent, the way back. The last status."""
    http = over.slack.http
    assert http is not None
    async with http.get(f"{over.address}/slack/install") as page:
        html = await page.text()
        [cookie] = [one.value for one in page.cookies.values()]
    found = re.search(r"state=([^&\"]+)", html)
    assert found
    query = {"code": over.slack.grant(team), "state": state or found[1]}
    cookies = {"Cookie": f"slack-app-oauth-state={cookie}"}
    async with http.get(
        f"{over.address}/slack/oauth_redirect", params=query, headers=cookies
    ) as back:
        return back.status


@pytest.mark.parametrize("mode", ["http", "socket"])
async def test_a_workspace_installs_the_bot_and_another_does_too(tmp_path: Path, mode: str) -> None:
    async with for_many(tmp_path, mode) as over:
        slack = over.slack
        assert await install(over, "T2") == 200
        assert await install(over, "T3") == 200
        assert [one.id for one in await over.bot.workspaces.all("slack")] == ["T2", "T3"]
        for team in ("T2", "T3"):
            channel = slack.channel(f"C{team}", team=team)
            ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
            [answer] = await slack.until(lambda c=channel, t=ts: digests_in(slack, c, t))  # type: ignore[misc]
            assert answer.bot_id == f"B{team}"
        assert len(slack.calls("auth.test")) == 2  # at the installations, not for each event


async def test_one_install_for_a_whole_organisation_is_refused_in_words(tmp_path: Path) -> None:
    async with for_many(tmp_path) as over:
        over.slack.for_organisations = True
        assert await install(over, "T2") == 400
        assert await over.bot.workspaces.all("slack") == []
        over.slack.for_organisations = False
        assert await install(over, "T2") == 200, "a workspace of it installs by itself"


async def test_the_page_leads_to_this_slack_and_asks_for_exactly_our_scopes(
    tmp_path: Path,
) -> None:
    async with for_many(tmp_path) as over:
        assert over.slack.http is not None
        async with over.slack.http.get(f"{over.address}/slack/install") as page:
            html = await page.text()
        assert f"{over.slack.url}/oauth/v2/authorize?" in html
        assert "slack.com" not in re.sub(r'src="[^"]*"', "", html)
        found = re.search(r"[?&;]scope=([^&\"]*)", html)
        assert found
        assert found[1].replace("%2C", ",").split(",") == list(SCOPES)


async def test_a_forged_state_installs_nothing(tmp_path: Path) -> None:
    async with for_many(tmp_path) as over:
        assert await install(over, "T2", state="forged") == 400
        assert await over.bot.workspaces.all("slack") == []


async def test_a_workspace_that_did_not_install_is_not_answered(tmp_path: Path) -> None:
    async with for_many(tmp_path) as over:
        await over.slack.say(over.slack.channel("C1"), user="U1", text=f"<{LINK}>")
        await over.slack.settled()
        assert over.bot.accepted == []
        assert all(attempt.acked for attempt in over.slack.attempts)


async def test_an_uninstalled_workspace_is_forgotten_and_may_come_back(tmp_path: Path) -> None:
    async with for_many(tmp_path) as over:
        slack, place = over.slack, Place("slack", "T2", "CT2")
        await install(over, "T2")
        channel = slack.channel("CT2", team="T2")
        await slack.uninstall("T2")
        await quiet(slack, over.bot)
        shared = SharedLink(LINK, place, "asked:1.0:x", "U1")
        with pytest.raises(ChatRefused):
            await over.bot.chat.find(shared, "k")
        slack.workspace("T2").revoked = None
        await install(over, "T2")
        ts = await slack.say(channel, user="U1", text=f"<{LINK}>")
        await slack.until(lambda: digests_in(slack, channel, ts))


async def test_a_workspace_of_an_organisation_is_found_by_itself(tmp_path: Path) -> None:
    engine = create_async_engine(f"sqlite+aiosqlite:///{tmp_path / 'slack.db'}")
    store = AsyncSQLAlchemyInstallationStore("1.2", engine)
    async with engine.begin() as connection:
        await connection.run_sync(store.metadata.create_all)
    installation = Installation(
        app_id="A1",
        enterprise_id="E1",
        team_id="T9",
        user_id="U1",
        bot_token="xoxb-nine",
        bot_id="B9",
        bot_user_id="U9",
    )
    await ByTeam(store).async_save(installation)
    found = Installations(store)
    assert (await found.of("T9")).bot_user == "U9"
    await found.removed("T9", "app_uninstalled")
    assert await store.async_find_bot(enterprise_id=None, team_id="T9") is None
    await engine.dispose()


def test_many_workspaces_need_a_store() -> None:
    with pytest.raises(ValueError, match="store"):
        build_bot(SlackServer(), client_id="1.2")
