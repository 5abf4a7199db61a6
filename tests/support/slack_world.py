"""What the test's Slack remembers: workspaces, people, channels, messages, views."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]

ALL_SCOPES = frozenset(
    "app_mentions:read channels:history channels:read chat:write commands groups:history "
    "groups:read im:history im:read im:write mpim:history mpim:read reactions:read "
    "reactions:write team:read users:read".split()
)


class Clock:
    """Message times as Slack gives them: unique, and never smaller than the last."""

    def __init__(self) -> None:
        self._seconds = 0
        self._fraction = 0

    def next(self) -> str:
        now = int(time.time())
        if now > self._seconds:
            self._seconds, self._fraction = now, 0
        self._fraction += 100
        return f"{self._seconds}.{self._fraction:06d}"


@dataclass
class User:
    id: str
    name: str = "somebody"
    locale: str = "en-US"
    tz: str = "Asia/Seoul"
    tz_offset: int = 32_400  # seconds
    is_admin: bool = False
    is_restricted: bool = False  # a guest
    is_bot: bool = False
    deleted: bool = False


@dataclass
class Message:
    """A message as it stands now; `versions` are the texts it had before."""

    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    subtype: str | None = None
    ephemeral_for: str | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    unfurl_links: bool | None = None
    unfurl_media: bool | None = None
    deleted: bool = False
    versions: list[str] = field(default_factory=list)

    def to_json(self, *, with_metadata: bool = False) -> Json:
        known: Json = {
            "type": "message",
            "subtype": self.subtype,
            "ts": self.ts,
            "user": self.user,
            "text": self.text,
            "thread_ts": self.thread_ts,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "edited": self.edited,
            "blocks": self.blocks or None,
            "attachments": self.attachments or None,
            "metadata": self.metadata if with_metadata else None,
            "reactions": [
                {"name": name, "users": list(users), "count": len(users)}
                for name, users in self.reactions.items()
            ]
            or None,
        }
        return {name: value for name, value in known.items() if value is not None}


@dataclass
class Channel:
    id: str
    team: str
    name: str
    creator: str
    members: set[str] = field(default_factory=set)
    archived: bool = False
    kind: str = "channel"  # channel, group (private), im
    shared_outside: bool = False  # with another organisation (Slack Connect)
    messages: dict[str, Message] = field(default_factory=dict)  # by ts, deleted ones are gone
    ephemeral: dict[str, Message] = field(default_factory=dict)
    gone: list[Message] = field(default_factory=list)

    @property
    def is_private(self) -> bool:
        return self.kind != "channel"

    def replies_to(self, ts: str) -> list[Message]:
        return [each for each in self.messages.values() if each.thread_ts == ts and each.ts != ts]

    def thread(self, ts: str) -> list[Message]:
        """The first message, if it still stands, and its replies in their order."""
        first = [self.messages[ts]] if ts in self.messages else []
        return first + self.replies_to(ts)


@dataclass
class View:
    id: str
    user: str
    content: Json
    hash: str
    app_id: str
    team: str
    previous: str | None = None
    closed: bool = False
    # by action_id: options that the app answered when somebody typed
    offered: dict[str, list[Json]] = field(default_factory=dict)

    def to_json(self) -> Json:
        return {
            **self.content,
            "private_metadata": self.content.get("private_metadata", ""),
            "callback_id": self.content.get("callback_id", ""),
            "external_id": self.content.get("external_id", ""),
            "state": {"values": {}},
            "id": self.id,
            "hash": self.hash,
            "team_id": self.team,
            "app_id": self.app_id,
            "app_installed_team_id": self.team,
            "bot_id": f"B{self.team}",
            "root_view_id": self.id,
            "previous_view_id": self.previous,
        }


@dataclass
class Workspace:
    """A workspace with the app installed, unless `revoked` names why its token is dead."""

    id: str
    app_id: str
    scopes: set[str] = field(default_factory=lambda: set(ALL_SCOPES))
    revoked: str | None = None  # token_revoked or account_inactive
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    views: dict[str, View] = field(default_factory=dict)
    homes: dict[str, View] = field(default_factory=dict)  # by user

    def __post_init__(self) -> None:
        self.users[self.bot_user] = User(self.bot_user, "smartdevdigest", is_bot=True)

    @property
    def bot_user(self) -> str:
        return f"U0BOT{self.id}"

    @property
    def bot_id(self) -> str:
        return f"B{self.id}"

    @property
    def bot_token(self) -> str:
        return f"xoxb-{self.id}-of-the-bot"

    @property
    def domain(self) -> str:
        return self.id.lower()

    def person(self, user: str) -> User:
        """A user of this workspace; who was not heard of before joins it now."""
        return self.users.setdefault(user, User(user, user.lower()))

    def bot_in(self, channel: Channel) -> bool:
        return self.bot_user in channel.members

    def all_messages(self) -> Iterator[Message]:
        for channel in self.channels.values():
            yield from channel.messages.values()


def user_json(workspace: Workspace, user: User, *, with_locale: bool) -> Json:
    known: Json = {
        "id": user.id,
        "team_id": workspace.id,
        "name": user.name,
        "real_name": user.name,
        "deleted": user.deleted,
        "tz": user.tz,
        "tz_offset": user.tz_offset,
        "is_admin": user.is_admin,
        "is_owner": False,
        "is_restricted": user.is_restricted,
        "is_ultra_restricted": False,
        "is_bot": user.is_bot,
        "profile": {"real_name": user.name, "display_name": user.name},
    }
    return {**known, "locale": user.locale} if with_locale else known


def channel_json(workspace: Workspace, channel: Channel) -> Json:
    return {
        "id": channel.id,
        "name": channel.name,
        "is_channel": channel.kind == "channel",
        "is_group": channel.kind == "group",
        "is_im": channel.kind == "im",
        "is_mpim": False,
        "is_private": channel.is_private,
        "is_archived": channel.archived,
        "is_ext_shared": channel.shared_outside,
        "is_member": workspace.bot_in(channel),
        "creator": channel.creator,
        "context_team_id": workspace.id,
    }
