"""People, guilds, channels and messages as our Discord keeps them, and their JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from support.discord_world import World

Json = dict[str, Any]

TEXT, DM, VOICE, ANNOUNCEMENT, PUBLIC_THREAD, FORUM = 0, 1, 2, 5, 11, 15
THREADS = {10, 11, 12}
MEMBER = 1
SUPPRESS_EMBEDS, HAS_THREAD, EPHEMERAL, LOADING, COMPONENTS_V2 = 4, 32, 64, 128, 1 << 15
PERMISSIONS = {
    "administrator": 3,
    "manage_channels": 4,
    "manage_guild": 5,
    "add_reactions": 6,
    "view_channel": 10,
    "send_messages": 11,
    "manage_messages": 13,
    "embed_links": 14,
    "attach_files": 15,
    "read_message_history": 16,
    "mention_everyone": 17,
    "use_external_emojis": 18,
    "use_application_commands": 31,
    "manage_threads": 34,
    "create_public_threads": 35,
    "send_messages_in_threads": 38,
}
USUAL = sum(
    1 << PERMISSIONS[name]
    for name in PERMISSIONS
    if name not in {"administrator", "manage_channels", "manage_guild", "manage_messages"}
    and name not in {"mention_everyone", "manage_threads"}
)
ALL_PERMISSIONS = (1 << 50) - 1


def permission_bits(names: tuple[str, ...]) -> int:
    """Raises KeyError for a name that Discord does not have."""
    return sum(1 << PERMISSIONS[name] for name in names)


def now() -> str:
    return datetime.now(UTC).isoformat()


@dataclass(eq=False)
class User:
    id: int
    name: str
    locale: str = "en-US"
    bot: bool = False
    refuses_direct: bool = False

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    def payload(self) -> Json:
        return {
            "id": str(self.id),
            "username": self.name,
            "discriminator": "0",
            "global_name": self.name,
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
        }


@dataclass(eq=False)
class Guild:
    world: World
    id: int
    name: str
    locale: str = "en-US"
    channels: dict[int, Channel] = field(default_factory=dict)
    members: dict[int, User] = field(default_factory=dict)
    member_permissions: dict[int, int] = field(default_factory=dict)
    everyone: int = USUAL
    bot_is_in: bool = True
    joined_at: str = field(default_factory=now)

    def text_channel(self, name: str) -> Channel:
        return self.channel(name, TEXT)

    def forum(self, name: str) -> Channel:
        return self.channel(name, FORUM)

    def channel(self, name: str, kind: int) -> Channel:
        """A new channel of Discord's channel type `kind`; the gateway hears of it."""
        made = Channel(self.world, self.world.new_id(), name, kind, guild=self)
        self.world.add(made)
        self.world.emit("CHANNEL_CREATE", made.payload(), made)
        return made

    def join(self, user: User) -> None:
        self.members[user.id] = user

    def grant(self, user: User, *names: str) -> None:
        """Lets a member do more, everywhere in the guild."""
        self.join(user)
        already = self.member_permissions.get(user.id, 0)
        self.member_permissions[user.id] = already | permission_bits(names)
        self.world.emit("GUILD_MEMBER_UPDATE", self._updated(user), self)

    def revoke(self, *names: str) -> None:
        """Takes permissions from everyone in the guild, the bot included."""
        self.everyone &= ~permission_bits(names)
        role = {"guild_id": str(self.id), "role": self.role_payloads()[0]}
        self.world.emit("GUILD_ROLE_UPDATE", role, self)

    def permissions_of(self, user: User) -> int:
        return self.everyone | self.member_permissions.get(user.id, 0)

    def role_payloads(self) -> list[Json]:
        roles = [self._role(self.id, "@everyone", self.everyone)]
        for user_id, bits in self.member_permissions.items():
            roles.append(self._role(user_id + 1, f"role of {user_id}", bits))
        return roles

    @staticmethod
    def _role(role_id: int, name: str, bits: int) -> Json:
        return {
            "id": str(role_id),
            "name": name,
            "permissions": str(bits),
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "position": 0 if name == "@everyone" else 1,
            "managed": False,
            "mentionable": False,
            "flags": 0,
        }

    def member_payload(self, user: User) -> Json:
        roles = [str(user.id + 1)] if user.id in self.member_permissions else []
        return {
            "user": user.payload(),
            "nick": None,
            "roles": roles,
            "joined_at": self.joined_at,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
        }

    def _updated(self, user: User) -> Json:
        return {**self.member_payload(user), "guild_id": str(self.id)}

    def payload(self) -> Json:
        channels = [c for c in self.channels.values() if c.kind not in THREADS]
        threads = [c for c in self.channels.values() if c.kind in THREADS]
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "owner_id": str(self.world.owner.id),
            "preferred_locale": self.locale,
            "features": [],
            "emojis": [],
            "stickers": [],
            "verification_level": 0,
            "default_message_notifications": 0,
            "explicit_content_filter": 0,
            "mfa_level": 0,
            "nsfw_level": 0,
            "premium_tier": 0,
            "system_channel_flags": 0,
            "afk_timeout": 300,
            "roles": self.role_payloads(),
            "joined_at": self.joined_at,
            "large": False,
            "unavailable": False,
            "member_count": len(self.members),
            "members": [self.member_payload(self.world.bot)],
            "channels": [c.payload() for c in channels],
            "threads": [c.payload() for c in threads],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }


@dataclass(eq=False)
class Channel:
    world: World
    id: int
    name: str
    kind: int
    guild: Guild | None = None
    parent: Channel | None = None
    recipient: User | None = None
    owner: User | None = None
    overwrites: dict[int, tuple[int, int]] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    thread_members: set[int] = field(default_factory=set)
    archived: bool = False
    locked: bool = False

    def allow(self, user: User, *names: str) -> None:
        self._overwrite(user, permission_bits(names), 0)

    def deny(self, user: User, *names: str) -> None:
        """Here this user (the bot: `discord.bot`) may not do these things."""
        self._overwrite(user, 0, permission_bits(names))

    def _overwrite(self, user: User, allow: int, deny: int) -> None:
        allowed, denied = self.overwrites.get(user.id, (0, 0))
        self.overwrites[user.id] = ((allowed | allow) & ~deny, (denied | deny) & ~allow)
        self.world.emit("CHANNEL_UPDATE", self.payload(), self)

    def permissions_of(self, user: User) -> int:
        """Discord's bits: the guild's, then this channel's (a thread has its parent's)."""
        if self.guild is None:
            return ALL_PERMISSIONS
        bits = self.guild.permissions_of(user)
        if bits & permission_bits(("administrator",)):
            return ALL_PERMISSIONS
        allowed, denied = (self.parent or self).overwrites.get(user.id, (0, 0))
        return (bits & ~denied) | allowed

    def may(self, user: User, name: str) -> bool:
        return bool(self.permissions_of(user) >> PERMISSIONS[name] & 1)

    def payload(self) -> Json:
        base: Json = {"id": str(self.id), "type": self.kind, "last_message_id": None, "flags": 0}
        if self.guild is None:
            recipients = [self.recipient.payload()] if self.recipient else []
            return {**base, "recipients": recipients}
        base |= {"guild_id": str(self.guild.id), "name": self.name}
        if self.kind in THREADS:
            return base | self._thread_fields()
        overwrites = [
            {"id": str(who), "type": MEMBER, "allow": str(allow), "deny": str(deny)}
            for who, (allow, deny) in self.overwrites.items()
        ]
        return base | {
            "position": 0,
            "parent_id": None,
            "topic": None,
            "nsfw": False,
            "bitrate": 64_000,
            "user_limit": 0,
            "rate_limit_per_user": 0,
            "permission_overwrites": overwrites,
            "available_tags": [],
            "default_reaction_emoji": None,
        }

    def _thread_fields(self) -> Json:
        assert self.parent is not None
        return {
            "parent_id": str(self.parent.id),
            "owner_id": str((self.owner or self.world.bot).id),
            "message_count": len(self.messages),
            "total_message_sent": len(self.messages),
            "member_count": len(self.thread_members),
            "rate_limit_per_user": 0,
            "applied_tags": [],
            "thread_metadata": {
                "archived": self.archived,
                "locked": self.locked,
                "auto_archive_duration": 1440,
                "archive_timestamp": now(),
                "create_timestamp": now(),
                "invitable": True,
            },
        } | self._own_membership()

    def _own_membership(self) -> Json:
        """Named only where the bot has joined."""
        me = self.world.bot.id
        if me not in self.thread_members:
            return {}
        joined = {"id": str(self.id), "user_id": str(me), "join_timestamp": now(), "flags": 0}
        return {"member": joined}


@dataclass(eq=False)
class Message:
    """`form` holds what was sent (content, embeds, components, flags, …) as Discord keeps it."""

    id: int
    channel: Channel
    author: User
    form: Json
    kind: int = 0
    edited_at: str | None = None
    nonce: str | None = None
    reference: Json | None = None
    interaction: Json | None = None
    webhook: bool = False
    only_for: User | None = None
    thread: Channel | None = None
    deleted: bool = False
    made_at: str = field(default_factory=now)
    allowed_mentions: Json | None = None
    reactions: dict[str, list[int]] = field(default_factory=dict)
    history: list[Json] = field(default_factory=list)

    @property
    def content(self) -> str:
        return str(self.form.get("content") or "")

    @property
    def flags(self) -> int:
        return int(self.form.get("flags") or 0) | (HAS_THREAD if self.thread else 0)

    @property
    def embeds(self) -> list[Json]:
        return list(self.form.get("embeds") or [])

    @property
    def components(self) -> list[Json]:
        return list(self.form.get("components") or [])

    def mentions(self) -> list[User]:
        users = self.channel.world.users.values()
        return [user for user in users if f"<@{user.id}>" in self.content]

    def payload(self, *, readable: bool = True) -> Json:
        """`readable`: with content, embeds and components (else the intent is missing)."""
        shown = self.embeds if not self.flags & SUPPRESS_EMBEDS else []
        payload: Json = {
            "id": str(self.id),
            "channel_id": str(self.channel.id),
            "type": self.kind,
            "author": self.author.payload(),
            "content": self.content if readable else "",
            "embeds": shown if readable else [],
            "components": self.components if readable else [],
            "attachments": self.form.get("attachments", []) if readable else [],
            "timestamp": self.made_at,
            "edited_timestamp": self.edited_at,
            "tts": False,
            "pinned": False,
            "mention_everyone": False,
            "mention_roles": [],
            "mentions": [user.payload() for user in self.mentions()],
            "flags": self.flags,
            "reactions": self._reaction_payloads(),
        }
        if self.webhook:
            payload |= {"webhook_id": str(self.channel.world.application_id)}
            payload |= {"application_id": str(self.channel.world.application_id)}
        optional = {"nonce": self.nonce, "message_reference": self.reference}
        optional |= {"interaction_metadata": self.interaction}
        optional |= {"thread": self.thread.payload() if self.thread else None}
        return payload | {name: value for name, value in optional.items() if value is not None}

    def _reaction_payloads(self) -> list[Json]:
        me = self.channel.world.bot.id
        return [
            {"emoji": {"id": None, "name": emoji}, "count": len(who), "me": me in who}
            for emoji, who in self.reactions.items()
            if who
        ]
