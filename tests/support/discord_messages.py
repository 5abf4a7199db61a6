"""Messages, threads and reactions over REST."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from support.discord_checks import check_message
from support.discord_entities import (
    ANNOUNCEMENT,
    COMPONENTS_V2,
    EPHEMERAL,
    FORUM,
    LOADING,
    TEXT,
    THREADS,
    Channel,
    Json,
    Message,
    User,
    now,
)
from support.discord_forms import mistake_at
from support.discord_rest import Call
from support.discord_world import MISSING_PERMISSIONS, Refused, World, unknown

REPLY = 19
NONCE_SECONDS = 300.0


class Messages:
    def __init__(self, world: World) -> None:
        self.world = world
        self._nonces: dict[tuple[int, str], tuple[float, Message]] = {}

    # What REST asks.

    def post(self, call: Call) -> Json:
        channel = self.world.reachable(call.id("channel"))
        self._may_send(channel, call.form if isinstance(call.form, dict) else {})
        check_message(call.form, files=call.files)
        earlier = self._sent_before(channel, call.form)
        if earlier is not None:
            return self.shown(earlier)
        message = self.add(channel, self.world.bot, call.form)
        if message.nonce and call.form.get("enforce_nonce"):
            self._nonces[channel.id, message.nonce] = (time.monotonic(), message)
        return self.shown(message)

    def patch(self, call: Call) -> Json:
        message = self._message(call)
        if message.author is not self.world.bot:
            raise Refused(403, 50005, "Cannot edit a message authored by another user")
        self._may_embed(message.channel, call.form if isinstance(call.form, dict) else {})
        return self.shown(self.edit(message, call.form, files=call.files))

    def delete(self, call: Call) -> None:
        message = self._message(call)
        may = message.channel.may(self.world.bot, "manage_messages")
        if message.author is not self.world.bot and not may:
            raise Refused(*MISSING_PERMISSIONS)
        self.remove(message)

    def get(self, call: Call) -> Json:
        return self.shown(self._message(call, "read_message_history"))

    def history(self, call: Call) -> list[Json]:
        """Newest first, except with `after`; 1 to 100 of them, as Discord answers."""
        channel = self.world.reachable(call.id("channel"))
        limit = int(call.query.get("limit", "50"))
        if not 1 <= limit <= 100:
            raise mistake_at("limit", "NUMBER_TYPE_MAX", "Value should be between 1 and 100.")
        if not channel.may(self.world.bot, "read_message_history"):
            return []
        shown = [message for message in channel.messages.values() if message.only_for is None]
        shown.sort(key=lambda message: message.id)
        before, after = call.query.get("before"), call.query.get("after")
        if before is not None:
            shown = [message for message in shown if message.id < int(before)]
        if after is not None:
            shown = [message for message in shown if message.id > int(after)][:limit]
        return [self.shown(message) for message in reversed(shown[-limit:])]

    def typing(self, call: Call) -> None:
        self.world.reachable(call.id("channel"), "send_messages")

    def start_thread(self, call: Call) -> Json:
        """Raises Refused 50024 where the channel has no threads, 160004 for a second one."""
        message = self._message(call, "create_public_threads")
        channel = message.channel
        check_thread(call.form)
        if channel.kind not in {TEXT, ANNOUNCEMENT}:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        if message.thread is not None:
            sentence = "A thread has already been created for this message"
            raise Refused(400, 160004, sentence)
        thread = self.world.start_thread(channel, message.id, call.form["name"], self.world.bot)
        message.thread = thread
        self.tell("MESSAGE_UPDATE", message)
        return thread.payload()

    def open_thread(self, call: Call) -> Json:
        """A thread without a message, or a forum's post."""
        channel = self.world.reachable(call.id("channel"))
        form = call.form
        check_thread(form)
        if channel.kind == FORUM:
            if not channel.may(self.world.bot, "send_messages"):
                raise Refused(*MISSING_PERMISSIONS)
            check_message(form["message"], files=call.files)
            thread_id = self.world.new_id()
            thread = self.world.start_thread(channel, thread_id, form["name"], self.world.bot)
            first = self.add(thread, self.world.bot, form["message"], message_id=thread_id)
            return {**thread.payload(), "message": self.shown(first)}
        if channel.kind not in {TEXT, ANNOUNCEMENT}:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        if not channel.may(self.world.bot, "create_public_threads"):
            raise Refused(*MISSING_PERMISSIONS)
        thread_id = self.world.new_id()
        return self.world.start_thread(channel, thread_id, form["name"], self.world.bot).payload()

    def join_thread(self, call: Call) -> None:
        thread = self._thread(call)
        user = self._user(call)
        thread.thread_members.add(user.id)

    def leave_thread(self, call: Call) -> None:
        self._thread(call).thread_members.discard(self._user(call).id)

    def react(self, call: Call) -> None:
        message = self._message(call, "read_message_history", "add_reactions")
        self.set_reaction(message, unquote(call.values["emoji"]), self.world.bot, there=True)

    def take_reaction(self, call: Call) -> None:
        message = self._message(call)
        self.set_reaction(message, unquote(call.values["emoji"]), self._user(call), there=False)

    # What the people of a test use too.

    def add(
        self,
        channel: Channel,
        author: User,
        form: Json,
        *,
        message_id: int | None = None,
        kind: int = 0,
        interaction: Json | None = None,
        only_for: User | None = None,
    ) -> Message:
        """`interaction`: what it answers; `only_for`: who alone sees it."""
        message = Message(message_id or self.world.new_id(), channel, author, kept(form), kind)
        message.interaction = interaction
        message.webhook = interaction is not None
        message.only_for = only_for
        message.allowed_mentions = form.get("allowed_mentions")
        message.nonce = None if form.get("nonce") is None else str(form["nonce"])
        self._refer(message, form)
        if channel.archived:
            channel.archived = False
        channel.messages[message.id] = message
        self.tell("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, form: Json, files: list[str] | None = None) -> Message:
        merged = merge(message, form)
        check_message(merged, before=message.form, files=files or [], raw=form)
        message.history.append(message.form)
        message.form = kept(merged)
        if "allowed_mentions" in form:
            message.allowed_mentions = form["allowed_mentions"]
        message.edited_at = now()
        self.tell("MESSAGE_UPDATE", message)
        return message

    def remove(self, message: Message) -> None:
        message.channel.messages.pop(message.id, None)
        message.deleted = True
        if message.only_for is not None:
            self.world.changed()
            return
        gone = {"id": str(message.id), "channel_id": str(message.channel.id)}
        self.world.emit("MESSAGE_DELETE", gone | in_guild(message.channel), message.channel)

    def remove_all(self, messages: Sequence[Message]) -> None:
        channel = messages[0].channel
        for message in messages:
            channel.messages.pop(message.id, None)
            message.deleted = True
        gone = {"ids": [str(one.id) for one in messages], "channel_id": str(channel.id)}
        self.world.emit("MESSAGE_DELETE_BULK", gone | in_guild(channel), channel)

    def tell(self, event: str, message: Message) -> None:
        """Ephemeral messages are told to nobody."""
        if message.only_for is not None:
            self.world.changed()
            return
        payload = message.payload() | in_guild(message.channel)
        if message.channel.guild is not None:
            member = message.channel.guild.member_payload(message.author)
            member.pop("user")
            payload["member"] = member
        self.world.emit(event, payload, message.channel)

    def set_reaction(self, message: Message, emoji: str, user: User, *, there: bool) -> None:
        who = message.reactions.setdefault(emoji, [])
        if there == (user.id in who):
            return
        if there:
            who.append(user.id)
        else:
            who.remove(user.id)
        payload = {
            "user_id": str(user.id),
            "channel_id": str(message.channel.id),
            "message_id": str(message.id),
            "message_author_id": str(message.author.id),
            "emoji": {"id": None, "name": emoji},
            "burst": False,
            "type": 0,
        } | in_guild(message.channel)
        if there and message.channel.guild is not None:
            payload["member"] = message.channel.guild.member_payload(user)
        event = "MESSAGE_REACTION_ADD" if there else "MESSAGE_REACTION_REMOVE"
        self.world.emit(event, payload, message.channel)

    def shown(self, message: Message) -> Json:
        """As REST tells it: the Message Content intent counts here too."""
        own = message.author is self.world.bot or message.channel.guild is None
        mentioned = self.world.bot in message.mentions()
        readable = own or mentioned or self.world.message_content_granted
        return message.payload(readable=readable)

    def forget_nonces(self) -> None:
        self._nonces.clear()

    # Helpers.

    def _sent_before(self, channel: Channel, form: Json) -> Message | None:
        if not form.get("enforce_nonce"):
            return None
        at, message = self._nonces.get((channel.id, str(form.get("nonce"))), (0.0, None))
        return message if time.monotonic() - at < NONCE_SECONDS else None

    def _may_send(self, channel: Channel, form: Json) -> None:
        if channel.kind == FORUM:
            raise Refused(400, 50008, "Cannot send messages in a non-text channel")
        needed = "send_messages_in_threads" if channel.kind in THREADS else "send_messages"
        if not channel.may(self.world.bot, needed):
            raise Refused(*MISSING_PERMISSIONS)
        if channel.locked:
            raise Refused(400, 50083, "Thread is archived")
        self._may_embed(channel, form)
        if form.get("message_reference") and not channel.may(
            self.world.bot, "read_message_history"
        ):
            raise Refused(400, 160002, "Cannot reply without permission to read message history")

    def _may_embed(self, channel: Channel, form: Json) -> None:
        if form.get("embeds") and not channel.may(self.world.bot, "embed_links"):
            raise Refused(*MISSING_PERMISSIONS)
        if form.get("attachments") and not channel.may(self.world.bot, "attach_files"):
            raise Refused(*MISSING_PERMISSIONS)

    def _refer(self, message: Message, form: Json) -> None:
        reference = form.get("message_reference")
        if not reference:
            return
        target = message.channel.messages.get(int(reference["message_id"]))
        if target is None:
            if reference.get("fail_if_not_exists", True):
                sentence = "Unknown message"
                raise mistake_at("message_reference", "REPLIES_UNKNOWN_MESSAGE", sentence)
            return
        message.kind = REPLY
        message.reference = {"type": 0, "message_id": str(target.id)}
        message.reference |= {"channel_id": str(message.channel.id)} | in_guild(message.channel)

    def _message(self, call: Call, *permissions: str) -> Message:
        channel = self.world.reachable(call.id("channel"), *permissions)
        message = channel.messages.get(call.id("message"))
        if message is None or message.only_for is not None:
            raise unknown("Message", 10008)
        return message

    def _thread(self, call: Call) -> Channel:
        thread = self.world.reachable(call.id("channel"))
        if thread.kind not in THREADS:
            raise Refused(400, 50024, "Cannot execute action on this channel type")
        return thread

    def _user(self, call: Call) -> User:
        if call.values.get("user", "@me") == "@me":
            return self.world.bot
        found = self.world.users.get(call.id("user"))
        if found is None:
            raise unknown("User", 10013)
        return found


def in_guild(channel: Channel) -> Json:
    return {} if channel.guild is None else {"guild_id": str(channel.guild.id)}


def check_thread(form: Any) -> None:
    name = form.get("name") if isinstance(form, dict) else None
    if not isinstance(name, str) or not 1 <= len(name) <= 100:
        raise mistake_at("name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")
    if form.get("auto_archive_duration") not in {None, 60, 1440, 4320, 10080}:
        sentence = "Value must be one of {60, 1440, 4320, 10080}."
        raise mistake_at("auto_archive_duration", "BASE_TYPE_CHOICES", sentence)


def merge(message: Message, form: Json) -> Json:
    """What the message would be after this edit: what is not named stays."""
    merged = {**message.form, **form}
    before = int(message.form.get("flags") or 0)
    wanted = form.get("flags")
    after = before if not isinstance(wanted, int) else wanted
    merged["flags"] = (after | before & (COMPONENTS_V2 | EPHEMERAL)) & ~LOADING
    return merged


def kept(form: Json) -> Json:
    """What Discord keeps of what was sent; components get their numbers."""
    fields = ("content", "embeds", "components", "flags", "attachments")
    kept_form = {name: form[name] for name in fields if form.get(name) is not None}
    numbers = iter(range(1, 1000))
    kept_form["components"] = [numbered(c, numbers) for c in kept_form.get("components", [])]
    kept_form["embeds"] = [{"type": "rich", **embed} for embed in kept_form.get("embeds", [])]
    kept_form["attachments"] = [
        {
            "size": 1,
            "url": f"https://cdn.discordapp.com/attachments/{number}",
            "proxy_url": f"https://media.discordapp.net/attachments/{number}",
            **attachment,
            "id": str(attachment.get("id", number)),
        }
        for number, attachment in enumerate(kept_form.get("attachments", []))
    ]
    return kept_form


def numbered(component: Json, numbers: Any) -> Json:
    number = component.get("id") or next(numbers)
    nested: Json = {}
    if isinstance(component.get("components"), list):
        nested["components"] = [numbered(child, numbers) for child in component["components"]]
    if isinstance(component.get("accessory"), dict):
        nested["accessory"] = numbered(component["accessory"], numbers)
    return {**component, **nested, "id": number}
