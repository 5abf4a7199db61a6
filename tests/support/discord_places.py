"""Over REST: the bot itself, the way to the gateway, channels, guilds, members and roles."""

from __future__ import annotations

from support.discord_entities import THREADS, Channel, Guild, Json, User
from support.discord_gateway import MESSAGE_CONTENT, Gateway
from support.discord_rest import Call
from support.discord_world import MISSING_PERMISSIONS, Refused, World, unknown

# What may be changed in a thread by who opened it, without any permission.
OF_OWNERS = {"name", "archived", "auto_archive_duration"}


class Places:
    def __init__(self, world: World, gateway: Gateway) -> None:
        self.world = world
        self.gateway = gateway
        self.shards = 1

    def me(self, call: Call) -> Json:
        return self.world.bot.payload() | {"verified": True, "mfa_enabled": False, "flags": 0}

    def application(self, call: Call) -> Json:
        """Flags 1<<18 and 1<<19: Message Content, granted in full or limited."""
        granted = self.gateway.granted & MESSAGE_CONTENT
        return {
            "id": str(self.world.application_id),
            "name": self.world.bot.name,
            "icon": None,
            "description": "",
            "bot_public": True,
            "bot_require_code_grant": False,
            "verify_key": "0" * 64,
            "flags": 1 << 19 if granted else 0,
            "owner": self.world.owner.payload(),
            "team": None,
            "bot": self.world.bot.payload(),
            "rpc_origins": [],
            "approximate_guild_count": len(self.world.guilds),
        }

    def gateway_bot(self, call: Call) -> Json:
        left = self.gateway.identifies_left
        limits = {"total": 1000, "remaining": left, "reset_after": 86_400_000}
        limits["max_concurrency"] = 1
        return {"url": self.gateway.url, "shards": self.shards, "session_start_limit": limits}

    def gateway_url(self, call: Call) -> Json:
        return {"url": self.gateway.url}

    def channel(self, call: Call) -> Json:
        return self.world.reachable(call.id("channel")).payload()

    def edit_channel(self, call: Call) -> Json:
        """Threads: archived and locked; other channels only their name."""
        channel = self.world.reachable(call.id("channel"))
        needed = "manage_threads" if channel.kind in THREADS else "manage_channels"
        own = channel.kind in THREADS and channel.owner in (None, self.world.bot)
        if not ((own and call.form.keys() <= OF_OWNERS) or channel.may(self.world.bot, needed)):
            raise Refused(*MISSING_PERMISSIONS)
        channel.name = call.form.get("name", channel.name)
        channel.archived = call.form.get("archived", channel.archived)
        channel.locked = call.form.get("locked", channel.locked)
        event = "THREAD_UPDATE" if channel.kind in THREADS else "CHANNEL_UPDATE"
        self.world.emit(event, channel.payload(), channel)
        return channel.payload()

    def delete_channel(self, call: Call) -> Json:
        channel = self.world.reachable(call.id("channel"))
        needed = "manage_threads" if channel.kind in THREADS else "manage_channels"
        if not channel.may(self.world.bot, needed):
            raise Refused(*MISSING_PERMISSIONS)
        self.remove(channel)
        return channel.payload()

    def remove(self, channel: Channel) -> None:
        """The channel is gone, and its threads with it."""
        for thread in [c for c in self.world.channels.values() if c.parent is channel]:
            self.remove(thread)
        self.world.channels.pop(channel.id, None)
        if channel.guild is not None:
            channel.guild.channels.pop(channel.id, None)
        for message in channel.messages.values():
            message.deleted = True
        event = "THREAD_DELETE" if channel.kind in THREADS else "CHANNEL_DELETE"
        self.world.emit(event, channel.payload(), channel)

    def open_direct(self, call: Call) -> Json:
        user = self._user(call.form.get("recipient_id"))
        if user.refuses_direct:
            raise Refused(403, 50007, "Cannot send messages to this user")
        return self.world.direct(user).payload()

    def my_guilds(self, call: Call) -> list[Json]:
        mine = [guild for guild in self.world.guilds.values() if guild.bot_is_in]
        return [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": None,
                "owner": False,
                "features": [],
                "permissions": str(guild.permissions_of(self.world.bot)),
            }
            for guild in mine
        ]

    def guild(self, call: Call) -> Json:
        whole = self._guild(call).payload()
        for only_on_the_gateway in ("members", "channels", "threads", "presences", "voice_states"):
            whole.pop(only_on_the_gateway)
        return whole

    def channels(self, call: Call) -> list[Json]:
        guild = self._guild(call)
        return [c.payload() for c in guild.channels.values() if c.kind not in THREADS]

    def roles(self, call: Call) -> list[Json]:
        return self._guild(call).role_payloads()

    def member(self, call: Call) -> Json:
        guild = self._guild(call)
        who = self.world.bot.id if call.values["user"] == "@me" else call.id("user")
        if who not in guild.members:
            raise unknown("Member", 10007)
        return guild.member_payload(guild.members[who])

    def user(self, call: Call) -> Json:
        return self._user(call.values["user"]).payload()

    def active_threads(self, call: Call) -> Json:
        guild = self._guild(call)
        threads = [c for c in guild.channels.values() if c.kind in THREADS and not c.archived]
        return {"threads": [thread.payload() for thread in threads], "members": []}

    def kick(self, guild: Guild) -> None:
        """The bot leaves the guild: from now on it is unknown to it."""
        left = {"id": str(guild.id)}
        guild.bot_is_in = False
        self.world.emit("GUILD_DELETE", left, guild)

    def _guild(self, call: Call) -> Guild:
        guild = self.world.guilds.get(call.id("guild"))
        if guild is None or not guild.bot_is_in:
            raise unknown("Guild", 10004)
        return guild

    def _user(self, user_id: object) -> User:
        text = str(user_id)
        found = self.world.users.get(int(text)) if text.isdecimal() else None
        if found is None:
            raise unknown("User", 10013)
        return found
