"""What people do in the test's Slack: write, edit, react, press, choose, submit, install."""

from __future__ import annotations

import re
from typing import Any

from support.slack_delivery import Attempt, HttpRoad
from support.slack_interactions import Interactions
from support.slack_world import Channel, Json, Message, User, View, Workspace

LINK = re.compile(r"<(https?:[^|>]+)(?:\|[^>]*)?>")


class SlackPeople(Interactions):
    # --- who and where

    def channel(
        self,
        name: str,
        *,
        team: str = "T1",
        creator: str = "U1",
        bot: bool = True,
        kind: str = "channel",
    ) -> Channel:
        """The channel with this id, made at the first mention; `bot`: the bot is invited."""
        workspace = self.workspace(team)
        if name not in workspace.channels:
            workspace.person(creator)
            members = {creator, workspace.bot_user} if bot else {creator}
            workspace.channels[name] = Channel(
                name, team, name.lower(), creator, members, kind=kind
            )
        return workspace.channels[name]

    def user(self, name: str, *, team: str = "T1", **changes: Any) -> User:
        """The person with this id, made at the first mention: locale, tz, is_admin, …"""
        person = self.workspace(team).person(name)
        for attribute, value in changes.items():
            assert hasattr(person, attribute), f"a user has no {attribute}"
            setattr(person, attribute, value)
        return person

    def of(self, channel: Channel) -> Workspace:
        return self.workspaces[channel.team]

    # --- messages

    async def say(
        self,
        channel: Channel,
        *,
        user: str,
        text: str,
        thread_ts: str | None = None,
        preview: bool = False,
        bot_id: str | None = None,
    ) -> str:
        """Somebody writes; text as Slack stores it, links as `<https://…>`. The message's ts.

        Args:
            preview: Slack unfurls the link afterwards: message_changed without `edited`.
            bot_id: another app writes, as bot_message.
        """
        workspace = self.of(channel)
        assert not channel.archived, "nobody writes into an archived channel"
        workspace.person(user)
        channel.members.add(user)
        message = Message(
            self.clock.next(),
            channel.id,
            user,
            text,
            thread_ts=thread_ts,
            bot_id=bot_id,
            subtype="bot_message" if bot_id else None,
        )
        self.posted(workspace, channel, message)
        if f"<@{workspace.bot_user}>" in text and workspace.bot_in(channel):
            self._mentioned(workspace, channel, message)
        if preview:
            self.unfurl(channel, message.ts)
        return message.ts

    def _mentioned(self, workspace: Workspace, channel: Channel, message: Message) -> None:
        event = {
            **message.to_json(),
            "type": "app_mention",
            "channel": channel.id,
            "event_ts": message.ts,
            "team": workspace.id,
        }
        self.emit(workspace, event, "app_mentions:read")

    def unfurl(self, channel: Channel, ts: str) -> None:
        """Slack adds its preview of the first link: a change that nobody made."""
        message = channel.messages[ts]
        found = LINK.search(message.text)
        assert found, f"there is no link in {message.text!r}"
        preview = {"from_url": found[1], "title": "A preview", "id": 1, "fallback": "A preview"}
        content = {"attachments": [preview]}
        self.changed_message(self.of(channel), channel, message, content, by=None)

    async def edit(self, channel: Channel, ts: str, text: str) -> None:
        message = channel.messages[ts]
        content = {"text": text}
        self.changed_message(self.of(channel), channel, message, content, by=message.user)

    async def delete(self, channel: Channel, ts: str) -> None:
        self.removed_message(self.of(channel), channel, channel.messages[ts])

    async def react(self, channel: Channel, ts: str, name: str = "mag", *, user: str) -> None:
        """Adds the reaction; `mag` is 🔍."""
        message, workspace = channel.messages[ts], self.of(channel)
        workspace.person(user)
        message.reactions.setdefault(name, []).append(user)
        self.reacted(workspace, message, name, user)

    async def unreact(self, channel: Channel, ts: str, name: str = "mag", *, user: str) -> None:
        message = channel.messages[ts]
        message.reactions[name].remove(user)
        self.reacted(self.of(channel), message, name, user, removed=True)

    # --- channels and the installation

    async def member_joined(self, channel: Channel, user: str | None = None) -> None:
        """Somebody joins; without `user` it is the bot that was invited."""
        workspace = self.of(channel)
        joined = user or workspace.bot_user
        workspace.person(joined)
        channel.members.add(joined)
        self._channel_event(channel, "member_joined_channel", user=joined, inviter="U1")

    async def member_left(self, channel: Channel, user: str | None = None) -> None:
        """Somebody leaves; without `user` the bot was removed, and hears `channel_left`."""
        workspace = self.of(channel)
        if user is None:
            channel.members.discard(workspace.bot_user)
            event = {"type": "channel_left", "channel": channel.id, "actor_id": "U1"}
            self.emit(workspace, {**event, "event_ts": self.clock.next()}, "channels:read")
            return
        self._channel_event(channel, "member_left_channel", user=user)
        channel.members.discard(user)

    async def archive(self, channel: Channel, user: str = "U1") -> None:
        channel.archived = True
        self._channel_event(channel, "channel_archive", user=user)

    async def unarchive(self, channel: Channel, user: str = "U1") -> None:
        channel.archived = False
        self._channel_event(channel, "channel_unarchive", user=user)

    async def delete_channel(self, channel: Channel) -> None:
        self._channel_event(channel, "channel_deleted")
        del self.of(channel).channels[channel.id]

    def _channel_event(self, channel: Channel, kind: str, **more: str) -> None:
        workspace = self.of(channel)
        self.changed()
        if workspace.bot_in(channel):
            event: Json = {"type": kind, "channel": channel.id, "team": workspace.id, **more}
            event |= {"channel_type": "C", "event_ts": self.clock.next()}
            self.emit(workspace, event, "channels:read")

    async def uninstall(self, team: str = "T1") -> None:
        """The app is removed: its token is dead, and it hears of that."""
        workspace = self.workspace(team)
        self.emit(workspace, {"type": "tokens_revoked", "tokens": {"bot": [workspace.bot_user]}})
        self.emit(workspace, {"type": "app_uninstalled"})
        workspace.revoked = "account_inactive"
        self.changed()

    def revoke_token(self, team: str = "T1", error: str = "token_revoked") -> None:
        """The token is dead, and nobody says so."""
        self.workspace(team).revoked = error

    def grant(self, team: str) -> str:
        """Somebody allows the app in a workspace: the code of the redirect."""
        code = self.next_id("code-")
        self.oauth_codes[code] = team
        return code

    async def open_home(self, user: str, *, team: str = "T1") -> None:
        workspace = self.workspace(team)
        workspace.person(user)
        channel = self.direct_channel(workspace, user)
        event: Json = {
            "type": "app_home_opened",
            "user": user,
            "channel": channel.id,
            "tab": "home",
            "event_ts": self.clock.next(),
        }
        if user in workspace.homes:
            event["view"] = workspace.homes[user].to_json()
        self.emit(workspace, event)

    # --- the same again

    async def repeat(self, event_id: str, *, after: float = 0.0, times: int = 1) -> None:
        """An event that was delivered already comes again, `after` so many seconds."""
        payload = next(each for each in self.events if each["event_id"] == event_id)
        for _ in range(times):
            self.start(payload, after=after)

    async def on_every_socket(self, event_id: str) -> list[Attempt]:
        """The same event on each open socket, as while sockets overlap."""
        payload = next(each for each in self.events if each["event_id"] == event_id)
        attempts = []
        for socket in [each for each in self.sockets.open if each.usable]:
            attempt = self.deliveries.attempt("events_api", payload)
            await self.sockets.send_on(socket, attempt, self.deliveries.ack_within)
            attempts.append(attempt)
        return attempts

    async def post_event(
        self,
        url: str,
        event: Json,
        *,
        team: str = "T1",
        timestamp: str | None = None,
        signature: str | None = None,
    ) -> Attempt:
        """One event to an address, without retries; the signature and its time may be broken."""
        assert self.http is not None
        road = HttpRoad(url, self.signing_secret, self.http, timestamp, signature)
        payload = self.event_payload(self.workspace(team), event)
        attempt = self.deliveries.attempt("events_api", payload)
        await road.send(attempt, within=self.deliveries.ack_within, avoid="")
        return attempt

    def home(self, user: str, *, team: str = "T1") -> View | None:
        return self.workspace(team).homes.get(user)

    def views(self, *, team: str = "T1") -> list[View]:
        """The modals that stand open."""
        return [view for view in self.workspace(team).views.values() if not view.closed]

    def ephemeral(self, channel: Channel, user: str) -> list[Message]:
        """What only this person sees here."""
        return [each for each in channel.ephemeral.values() if each.ephemeral_for == user]
