"""The heart of the test's Slack: what happens in a workspace, and what the app is told of it."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable
from typing import Any, TypeVar

import aiohttp
from support.slack_api import Call, scope_family
from support.slack_delivery import Attempt, Deliveries, HttpRoad, Road
from support.slack_faults import Fault, Faults, Pacing
from support.slack_response_urls import ResponseUrls
from support.slack_socket import Sockets
from support.slack_world import Channel, Clock, Json, Message, View, Workspace

Found = TypeVar("Found")


class SlackCore:
    """State and wiring. Tests use SlackServer, which adds people and the network."""

    def __init__(self) -> None:
        self.port = 0
        self.app_id = "A0SMART"
        self.app_token = "xapp-1-A0SMART-of-the-app"  # noqa: S105 - of this server only
        self.signing_secret = "a-signing-secret"  # noqa: S105 - of this server only
        self.client_id, self.client_secret = "123.456", "a-client-secret"
        self.clock = Clock()
        self.faults = Faults()
        self.pacing: Pacing | None = Pacing()
        self.sockets = Sockets(self.changed, self.surprised)
        self.deliveries = Deliveries()
        self.response_urls = ResponseUrls(self)
        self.workspaces: dict[str, Workspace] = {}
        self.calls_made: list[Call] = []
        self.events: list[Json] = []  # event payloads, in order, also undelivered ones
        self.failures: list[str] = []  # what a person saw go wrong
        self.surprises: list[Exception] = []  # mistakes of this server: they fail the test
        self.subscriptions: set[str] | None = None  # event types; None is all
        self.events_twice = False  # each event comes twice, on two sockets where there are two
        self.trigger_seconds = 3.0
        self.triggers: dict[str, tuple[float, str]] = {}  # expiry, user
        self.spent_triggers: set[str] = set()
        self.oauth_codes: dict[str, str] = {}
        self.for_organisations = False  # who installs, installs for all workspaces at once
        self.http: aiohttp.ClientSession | None = None
        self._http_road: HttpRoad | None = None
        self._numbers = itertools.count(1)
        self._change = asyncio.Event()

    # --- addresses

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def api_url(self) -> str:
        """For `AsyncWebClient(base_url=…)` and `slack.api_url`."""
        return f"{self.url}/api/"

    @property
    def bot_token(self) -> str:
        return self.team.bot_token

    @property
    def team(self) -> Workspace:
        """The workspace of tests that need only one."""
        return self.workspace("T1")

    def workspace(self, team: str) -> Workspace:
        return self.workspaces.setdefault(team, Workspace(team, self.app_id))

    def next_id(self, letters: str) -> str:
        return f"{letters}{next(self._numbers):08d}"

    # --- waiting

    def changed(self) -> None:
        self._change.set()
        self._change = asyncio.Event()

    def surprised(self, error: Exception) -> None:
        self.surprises.append(error)
        self.changed()

    async def until(self, true: Callable[[], Found], timeout: float = 5.0) -> Found:  # noqa: ASYNC109 - reads well in tests
        """The first true value of `true()`; asked again whenever something happened here."""
        ends = time.monotonic() + timeout
        while not (found := true()):
            left = ends - time.monotonic()
            if left <= 0:
                raise AssertionError(f"not within {timeout} s; {self.state()}")
            try:  # what only the bot knows is looked at now and then
                await asyncio.wait_for(self._change.wait(), min(left, 0.05))
            except TimeoutError:
                continue
        return found

    async def connected(self, sockets: int = 1) -> None:
        await self.until(lambda: len(self.sockets.open) >= sockets)

    async def settled(self, timeout: float = 5.0) -> None:  # noqa: ASYNC109 - as above
        """Nothing is on its way to the app any more."""
        await self.until(lambda: not self.deliveries.running, timeout)

    def state(self) -> str:
        last = [f"{call.method}: {call.error or call.status}" for call in self.calls_made[-8:]]
        return (
            f"{len(self.sockets.open)} sockets open, {len(self.acks)} of "
            f"{len(self.deliveries.attempts)} acked, last calls: {', '.join(last) or 'none'}"
        )

    # --- what tests look at

    @property
    def acks(self) -> list[Attempt]:
        return [attempt for attempt in self.deliveries.attempts if attempt.acked]

    @property
    def attempts(self) -> list[Attempt]:
        return self.deliveries.attempts

    def calls(self, method: str) -> list[Call]:
        return [call for call in self.calls_made if call.method == method]

    def fail_next(self, method: str, times: int = 1, *, with_: Fault) -> None:
        """The next `times` calls of the method (`*`: of any) fail this way."""
        self.faults.add(method, times, with_)

    def thread(self, channel: Channel, ts: str) -> list[Message]:
        return channel.thread(ts)

    def answers(self, channel: Channel, ts: str) -> list[Message]:
        """The bot's messages in a thread."""
        return [each for each in channel.replies_to(ts) if each.user == self._bot_of(channel)]

    def _bot_of(self, channel: Channel) -> str:
        return self.workspaces[channel.team].bot_user

    # --- to the app

    def use_http(self, url: str) -> HttpRoad:
        """From now on everything goes to this address, signed; the road can be broken."""
        assert self.http is not None
        self._http_road = HttpRoad(url, self.signing_secret, self.http)
        return self._http_road

    @property
    def road(self) -> Road:
        return self._http_road or self.sockets

    def emit(self, workspace: Workspace, event: Json, scope: str = "") -> str | None:
        """Tell the app, if it subscribed and has the scope; the event's id, None if not told."""
        unwanted = self.subscriptions is not None and event["type"] not in self.subscriptions
        if unwanted or (scope and scope not in workspace.scopes):
            return None
        payload = self.event_payload(workspace, event)
        self.events.append(payload)
        for number in range(2 if self.events_twice else 1):
            self.start(payload, after=0.001 * number)
        return str(payload["event_id"])

    def start(self, payload: Json, *, after: float = 0.0) -> None:
        """Deliver in the background; a mistake of ours is a surprise."""
        task = self.deliveries.start(self.road, "events_api", payload, after=after)
        task.add_done_callback(self._delivered)

    def _delivered(self, task: asyncio.Task[Attempt]) -> None:
        self.deliveries.running.discard(task)
        if not task.cancelled() and isinstance(task.exception(), Exception):
            self.surprised(task.exception())  # type: ignore[arg-type]
        self.changed()

    def event_payload(self, workspace: Workspace, event: Json) -> Json:
        return {
            "token": "an-old-verification-token",
            "team_id": workspace.id,
            "context_team_id": workspace.id,
            "context_enterprise_id": None,
            "api_app_id": self.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": self.next_id("Ev"),
            "event_time": int(time.time()),
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": workspace.id,
                    "user_id": workspace.bot_user,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }

    def trigger(self, user: str) -> str:
        """Opens one view, within `trigger_seconds`."""
        new = f"{next(self._numbers)}.{int(time.time())}.trigger"
        self.triggers[new] = (time.monotonic() + self.trigger_seconds, user)
        return new

    # --- what happens to messages

    def direct_channel(self, workspace: Workspace, user: str) -> Channel:
        channel = workspace.channels.get(f"D{user}")
        if channel is None:
            members = {user, workspace.bot_user}
            channel = Channel(f"D{user}", workspace.id, "", user, members, kind="im")
            workspace.channels[channel.id] = channel
        return channel

    def posted(self, workspace: Workspace, channel: Channel, message: Message) -> None:
        """A new message stands; the app hears of it where it is a member, of its own ones too."""
        channel.messages[message.ts] = message
        first = channel.messages.get(message.thread_ts or "")
        if first is not None:
            first.thread_ts = first.ts
        self._tell(workspace, channel, message.to_json(), message.ts)
        self.changed()

    def changed_message(
        self,
        workspace: Workspace,
        channel: Channel,
        message: Message,
        content: Json,
        *,
        by: str | None,
    ) -> None:
        """New content; `by` None is Slack itself with a preview, which is no edit."""
        before = message.to_json()
        if by is not None:
            message.versions.append(message.text)
            message.edited = {"user": by, "ts": self.clock.next()}
        for name, value in content.items():
            setattr(message, name, value)
        told = {"message": message.to_json(), "previous_message": before}
        self._tell_hidden(workspace, channel, "message_changed", told)
        self.changed()

    def removed_message(self, workspace: Workspace, channel: Channel, message: Message) -> None:
        """Gone; a message with replies leaves a tombstone, which Slack tells as a change."""
        before = message.to_json()
        message.deleted = True
        channel.gone.append(message)
        if channel.replies_to(message.ts):
            stone = Message(
                message.ts,
                channel.id,
                "USLACKBOT",
                "This message was deleted.",
                thread_ts=message.ts,
                subtype="tombstone",
            )
            channel.messages[message.ts] = stone
            told: Json = {"message": stone.to_json(), "previous_message": before}
            self._tell_hidden(workspace, channel, "message_changed", told)
        else:
            del channel.messages[message.ts]
            told = {"deleted_ts": message.ts, "previous_message": before}
            self._tell_hidden(workspace, channel, "message_deleted", told)
        self.changed()

    def reacted(
        self, workspace: Workspace, message: Message, name: str, user: str, removed: bool = False
    ) -> None:
        channel = workspace.channels[message.channel]
        self.changed()
        if workspace.bot_in(channel):
            event = {
                "type": "reaction_removed" if removed else "reaction_added",
                "user": user,
                "reaction": name,
                "item_user": message.user,
                "item": {"type": "message", "channel": channel.id, "ts": message.ts},
                "event_ts": self.clock.next(),
            }
            self.emit(workspace, event, "reactions:read")

    def _tell_hidden(
        self, workspace: Workspace, channel: Channel, subtype: str, told: Json
    ) -> None:
        ts = self.clock.next()
        event = {"type": "message", "subtype": subtype, "hidden": True, "ts": ts, **told}
        self._tell(workspace, channel, event, ts)

    def _tell(self, workspace: Workspace, channel: Channel, event: Json, ts: str) -> None:
        if not workspace.bot_in(channel):
            return
        where: dict[str, Any] = {
            "channel": channel.id,
            "channel_type": channel.kind,
            "event_ts": ts,
            "team": workspace.id,
        }
        self.emit(workspace, {**event, **where}, f"{scope_family(channel)}:history")

    def view_of(self, workspace: Workspace, user: str, content: Json) -> View:
        view_id = self.next_id("V")
        return View(view_id, user, content, self.next_id("hash."), self.app_id, workspace.id)
