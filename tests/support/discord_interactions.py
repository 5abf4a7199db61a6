"""Interactions: how a press, choice, command or form reaches the bot, and how it may answer.

Source: discord/discord-api-docs, `developers/interactions/receiving-and-responding.mdx`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from support.discord_checks import check_message, check_modal
from support.discord_commands import CHOICE
from support.discord_entities import EPHEMERAL, LOADING, Channel, Json, Message, User
from support.discord_forms import Mistakes, items, mistake_at, shape
from support.discord_messages import Messages
from support.discord_rest import Call
from support.discord_world import Refused, World, unknown

COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5
MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9
ANSWERS = {
    COMMAND: {MESSAGE, DEFERRED, MODAL},
    COMPONENT: {MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, MODAL},
    AUTOCOMPLETE: {CHOICES},
    MODAL_SUBMIT: {MESSAGE, DEFERRED},
}
KIND_OF_ANSWER = {COMMAND: 20, COMPONENT: 19, MODAL_SUBMIT: 0}


@dataclass(eq=False)
class Interaction:
    """What a person asked and what became of it; `answered_after` in seconds."""

    id: int
    token: str
    kind: int
    user: User
    channel: Channel
    data: Json
    source: Message | None = None
    made_at: float = field(default_factory=time.monotonic)
    answered_after: float | None = None
    answer: int | None = None
    original: Message | None = None
    follow_ups: list[Message] = field(default_factory=list)
    choices: list[Json] | None = None
    modal: Json | None = None

    @property
    def messages(self) -> list[Message]:
        """What the person sees as answers, those still loading left out."""
        first = [self.original] if self.original and self.original is not self.source else []
        return [m for m in [*first, *self.follow_ups] if not m.deleted and not m.flags & LOADING]

    @property
    def age(self) -> float:
        return time.monotonic() - self.made_at


class Interactions:
    """`first_answer_within` and `token_lasts` are Discord's 3 s and 15 minutes."""

    def __init__(self, world: World, messages: Messages) -> None:
        self.world = world
        self.messages = messages
        self.first_answer_within = 3.0
        self.token_lasts = 900.0
        self.all: list[Interaction] = []

    def routes(self) -> dict[str, Callable[[Call], object]]:
        webhook = "/webhooks/{application}/{token}"
        return {
            "POST /interactions/{interaction}/{token}/callback": self.callback,
            f"POST {webhook}": self.follow_up,
            f"GET {webhook}/messages/{{message}}": self.get,
            f"PATCH {webhook}/messages/{{message}}": self.patch,
            f"DELETE {webhook}/messages/{{message}}": self.delete,
        }

    def ask(
        self, kind: int, user: User, channel: Channel, data: Json, source: Message | None = None
    ) -> Interaction:
        """INTERACTION_CREATE for the bot."""
        token = "interaction-" + secrets.token_hex(16)
        asked = Interaction(self.world.new_id(), token, kind, user, channel, data, source)
        self.all.append(asked)
        self.world.emit("INTERACTION_CREATE", self._payload(asked), channel)
        return asked

    def _payload(self, asked: Interaction) -> Json:
        channel, user = asked.channel, asked.user
        payload: Json = {
            "id": str(asked.id),
            "application_id": str(self.world.application_id),
            "type": asked.kind,
            "token": asked.token,
            "version": 1,
            "data": asked.data,
            "channel": channel.payload() | {"permissions": str(channel.permissions_of(user))},
            "channel_id": str(channel.id),
            "locale": user.locale,
            "app_permissions": str(channel.permissions_of(self.world.bot)),
            "attachment_size_limit": 10 << 20,
            "entitlements": [],
        }
        if asked.source is not None:
            payload["message"] = asked.source.payload()
        if channel.guild is None:
            owners = {"0": "0"}
            payload |= {"user": user.payload(), "context": 1}
        else:
            guild = channel.guild
            owners = {"0": str(guild.id)}
            permissions = {"permissions": str(channel.permissions_of(user))}
            payload |= {"member": guild.member_payload(user) | permissions, "context": 0}
            payload |= {"guild_id": str(guild.id), "guild_locale": guild.locale}
            payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
        return payload | {"authorizing_integration_owners": owners}

    # What REST asks.

    def callback(self, call: Call) -> Json | None:
        """Raises Refused 10062 for what is unknown or too late, 40060 for a second answer."""
        asked = self._by_token(call.values["token"])
        if asked is None or asked.id != call.id("interaction"):
            raise unknown("interaction", 10062)
        if asked.answer is not None:
            raise Refused(400, 40060, "Interaction has already been acknowledged.")
        if asked.age > self.first_answer_within:
            raise unknown("interaction", 10062)
        self._answer(asked, call.form, call.files)
        asked.answered_after = asked.age
        if call.query.get("with_response") not in {"1", "true"}:
            return None
        return self._told(asked)

    def _answer(self, asked: Interaction, form: Any, files: list[str]) -> None:
        mistakes = Mistakes()
        shape({"type": lambda m, p, v: None}, {"data": lambda m, p, v: None})(mistakes, (), form)
        mistakes.refuse()
        kind, data = form["type"], form.get("data") or {}
        possible = ANSWERS[asked.kind] | (
            {DEFERRED_UPDATE, UPDATE} if asked.source is not None else set()
        )
        if kind not in possible:
            sentence = f"Value must be one of {sorted(possible)}."
            raise mistake_at("type", "BASE_TYPE_CHOICES", sentence)
        if kind == CHOICES:
            asked.choices = checked_choices(data)
        elif kind == MODAL:
            check_modal(data)
            asked.modal = data
        elif kind == DEFERRED:
            asked.original = self._post(
                asked, {"flags": data.get("flags", 0) & EPHEMERAL | LOADING}
            )
        elif kind == MESSAGE:
            asked.original = self._post(asked, self._checked(data, files))
        else:
            asked.original = asked.source
            if kind == UPDATE and asked.source is not None:
                self.messages.edit(asked.source, data, files)
        asked.answer = kind

    @staticmethod
    def _checked(data: Json, files: list[str]) -> Json:
        check_message(data, files=files, answer=True)
        return data

    def _post(self, asked: Interaction, form: Json) -> Message:
        if asked.channel.id not in self.world.channels:
            raise unknown("Channel", 10003)
        only_for = asked.user if form.get("flags", 0) & EPHEMERAL else None
        return self.messages.add(
            asked.channel,
            self.world.bot,
            form,
            interaction=asked_by(asked),
            kind=KIND_OF_ANSWER[asked.kind],
            only_for=only_for,
        )

    def _told(self, asked: Interaction) -> Json:
        told: Json = {"id": str(asked.id), "type": asked.kind}
        body: Json = {"interaction": told, "resource": {"type": asked.answer}}
        if asked.original is not None and asked.answer in {MESSAGE, DEFERRED, UPDATE}:
            told["response_message_id"] = str(asked.original.id)
            told["response_message_loading"] = bool(asked.original.flags & LOADING)
            told["response_message_ephemeral"] = asked.original.only_for is not None
            body["resource"]["message"] = asked.original.payload()
        return body

    def follow_up(self, call: Call) -> Json:
        """After a deferral the first follow-up takes the place of what is loading."""
        asked = self._alive(call)
        if asked.original is not None and asked.original.flags & LOADING:
            self._checked(call.form, call.files)
            return self._edited(asked.original, call)
        message = self._post(asked, self._checked(call.form, call.files))
        asked.follow_ups.append(message)
        return message.payload()

    def get(self, call: Call) -> Json:
        return self._message(call).payload()

    def patch(self, call: Call) -> Json:
        return self._edited(self._message(call), call)

    def delete(self, call: Call) -> None:
        self.messages.remove(self._message(call))

    def _edited(self, message: Message, call: Call) -> Json:
        if message.channel.id not in self.world.channels:
            raise unknown("Channel", 10003)
        return self.messages.edit(message, call.form, call.files).payload()

    def _alive(self, call: Call) -> Interaction:
        """Raises Refused 50027 for a token that is over, 10015 for one never answered."""
        asked = self._by_token(call.values["token"])
        if asked is None or call.id("application") != self.world.application_id:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if asked.age > self.token_lasts:
            raise Refused(401, 50027, "Invalid Webhook Token")
        if asked.answer is None:
            raise unknown("Webhook", 10015)
        return asked

    def _message(self, call: Call) -> Message:
        asked = self._alive(call)
        if call.values["message"] == "@original":
            found = asked.original
        else:
            mine = [asked.original, *asked.follow_ups]
            found = next((m for m in mine if m and m.id == call.id("message")), None)
        if found is None or found.deleted:
            raise unknown("Message", 10008)
        return found

    def _by_token(self, token: str) -> Interaction | None:
        return next((asked for asked in self.all if asked.token == token), None)


def checked_choices(data: Any) -> list[Json]:
    """Raises Refused 50035 for more than 25 or too long ones."""
    mistakes = Mistakes()
    shape({"choices": items(0, 25, CHOICE)}, {})(mistakes, ("data",), data)
    mistakes.refuse()
    return list(data["choices"])


def asked_by(asked: Interaction) -> Json:
    return {
        "id": str(asked.id),
        "type": asked.kind,
        "user": asked.user.payload(),
        "authorizing_integration_owners": {},
    }
