"""What people do on our Discord by hand (discord_asking.py: by commands and buttons), and see."""

from __future__ import annotations

import re
from collections.abc import Sequence

from support.discord_components import TEXT_DISPLAY, walk
from support.discord_entities import EPHEMERAL, Channel, Json, Message, User, now
from support.discord_messages import Messages
from support.discord_world import World

URL_IN_TEXT = re.compile(r"https?://[^\s<>()\]]+")


class People:
    world: World
    messages_api: Messages

    async def say(
        self,
        channel: Channel,
        user: User,
        words: str,
        *,
        reply_to: Message | None = None,
        preview: bool = True,
    ) -> Message:
        """MESSAGE_CREATE, then for a link MESSAGE_UPDATE with Discord's preview of it."""
        if channel.guild is not None:
            channel.guild.join(user)
        form: Json = {"content": words}
        if reply_to is not None:
            form["message_reference"] = {"message_id": str(reply_to.id)}
        message = self.messages_api.add(channel, user, form)
        links = URL_IN_TEXT.findall(words)
        if links and preview:
            self.preview(message, links[0])
        return message

    def direct(self, user: User) -> Channel:
        """Where this user and the bot talk alone."""
        return self.world.direct(user)

    async def start_thread(self, message: Message, user: User, name: str = "talk") -> Channel:
        """A person's own thread on a message."""
        thread = self.world.start_thread(message.channel, message.id, name, user)
        message.thread = thread
        self.messages_api.tell("MESSAGE_UPDATE", message)
        return thread

    def preview(self, message: Message, link: str) -> None:
        """The embed of a link comes later and is no edit: no edited_timestamp."""
        embed = {"type": "article", "url": link, "title": "A preview", "description": "Of it."}
        message.form = {**message.form, "embeds": [embed]}
        self.messages_api.tell("MESSAGE_UPDATE", message)

    async def edit(self, message: Message, words: str) -> None:
        message.form = {**message.form, "content": words}
        message.edited_at = now()
        self.messages_api.tell("MESSAGE_UPDATE", message)

    async def delete(self, message: Message) -> None:
        self.messages_api.remove(message)

    async def delete_many(self, messages: Sequence[Message]) -> None:
        """As a moderator clears a channel: one event for all of them."""
        self.messages_api.remove_all(messages)

    async def react(self, message: Message, user: User, emoji: str) -> None:
        if message.channel.guild is not None:
            message.channel.guild.join(user)
        self.messages_api.set_reaction(message, emoji, user, there=True)

    async def unreact(self, message: Message, user: User, emoji: str) -> None:
        self.messages_api.set_reaction(message, emoji, user, there=False)


def visible_text(message: Message | Json) -> str:
    """Everything a person reads: content, embeds, texts, labels, placeholders."""
    form = message.form if isinstance(message, Message) else message
    lines: list[str | None] = [form.get("content")]
    for embed in form.get("embeds") or []:
        lines += [embed.get("title"), embed.get("description")]
        lines += [(embed.get("author") or {}).get("name")]
        for entry in embed.get("fields") or []:
            lines += [entry["name"], entry["value"]]
        lines += [(embed.get("footer") or {}).get("text")]
    for _, component in walk(form.get("components")):
        lines += [component.get("content"), component.get("label"), component.get("placeholder")]
        for option in component.get("options") or []:
            lines += [option.get("label"), option.get("description")]
    return "\n".join(line for line in lines if line)


def links_in(message: Message | Json) -> list[str]:
    """Every address a person can follow, in order, each once."""
    form = message.form if isinstance(message, Message) else message
    found = URL_IN_TEXT.findall(visible_text(form))
    for embed in form.get("embeds") or []:
        found += [embed.get("url"), (embed.get("author") or {}).get("url")]
    found += [component.get("url") for _, component in walk(form.get("components"))]
    return list(dict.fromkeys(link for link in found if link))


def pings(message: Message) -> set[str]:
    """Who would hear a ping: user ids, role ids as `&id`, `everyone`, by allowed_mentions."""
    if message.only_for is not None or message.flags & EPHEMERAL:
        return set()
    allowed = message.allowed_mentions
    parse = ["users", "roles", "everyone"] if allowed is None else allowed.get("parse") or []
    allowed = allowed or {}
    words = _mentionable(message)
    heard: set[str] = set()
    for kind, found in (
        ("users", re.findall(r"<@!?(\d+)>", words)),
        ("roles", re.findall(r"<@&(\d+)>", words)),
    ):
        chosen = {str(one) for one in allowed.get(kind) or []}
        mark = "&" if kind == "roles" else ""
        heard |= {mark + one for one in found if kind in parse or one in chosen}
    if "everyone" in parse and re.search(r"@(everyone|here)\b", words):
        heard |= {"everyone"} if message.channel.may(message.author, "mention_everyone") else set()
    return heard | _pinged_by_reply(message)


def _mentionable(message: Message) -> str:
    """Embeds never ping; texts of components do."""
    texts = [c.get("content", "") for _, c in walk(message.components) if c["type"] == TEXT_DISPLAY]
    return "\n".join([message.content, *texts])


def _pinged_by_reply(message: Message) -> set[str]:
    if message.reference is None or message.kind != 19:
        return set()
    allowed = message.allowed_mentions
    wanted = allowed is None or allowed.get("replied_user", False)
    target = message.channel.messages.get(int(message.reference["message_id"]))
    return {str(target.author.id)} if wanted and target is not None else set()
