"""The Web API's methods as functions of a call; what Slack refuses raises SlackRefused."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from support.slack_block_rules import block_errors, characters_in
from support.slack_faults import SlackRefused
from support.slack_world import Channel, Json, Message, Workspace, channel_json, user_json

if TYPE_CHECKING:
    from support.slack_core import SlackCore as SlackServer

MAX_UPDATE_TEXT = 4_000
MAX_POST_TEXT = 40_000
MAX_BLOCK_CHARACTERS = 13_000


@dataclass
class Call:
    """One request to the Web API; `answer` is what it was told, None when it heard nothing."""

    method: str
    arguments: Json
    token: str | None
    at: float = field(default_factory=time.monotonic)  # seconds
    status: int = 0
    answer: Json | None = None
    answered_at: float | None = None

    @property
    def ok(self) -> bool:
        return bool(self.answer and self.answer.get("ok"))

    @property
    def seconds(self) -> float:
        """From the request to the answer."""
        assert self.answered_at is not None, f"{self.method} was never answered"
        return self.answered_at - self.at

    @property
    def error(self) -> str | None:
        return self.answer.get("error") if self.answer else None

    def need(self, name: str) -> Any:
        value = self.arguments.get(name)
        if value in (None, ""):
            raise SlackRefused(
                "invalid_arguments",
                response_metadata={"messages": [f"[ERROR] missing required field: {name}"]},
            )
        return value

    def truth(self, name: str) -> bool:
        return str(self.arguments.get(name, "")).lower() in ("1", "true")


Method = Callable[["SlackServer", Workspace, Call], Json]
METHODS: dict[str, Method] = {}
SCOPES: dict[str, str] = {}


def method(name: str, scope: str = "") -> Callable[[Method], Method]:
    """A `scope` of `history` or `read` is asked for the kind of the channel in question."""

    def keep(function: Method) -> Method:
        METHODS[name] = function
        SCOPES[name] = scope
        return function

    return keep


def need_scope(workspace: Workspace, name: str, call: Call) -> None:
    scope = SCOPES[name]
    if scope in ("history", "read"):
        channel = workspace.channels.get(str(call.arguments.get("channel", "")))
        scope = f"{scope_family(channel)}:{scope}"
    if scope and scope not in workspace.scopes:
        provided = ",".join(sorted(workspace.scopes))
        raise SlackRefused("missing_scope", needed=scope, provided=provided)


def scope_family(channel: Channel | None) -> str:
    kinds = {"channel": "channels", "group": "groups", "im": "im"}
    return kinds[channel.kind] if channel is not None else "channels"


def channel_of(workspace: Workspace, call: Call, name: str = "channel") -> Channel:
    channel = workspace.channels.get(str(call.need(name)))
    if channel is None or (channel.is_private and not workspace.bot_in(channel)):
        raise SlackRefused("channel_not_found")
    return channel


# --- messages


@method("chat.postMessage", "chat:write")
def post_message(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel = _open_channel(slack, workspace, call)
    thread_ts = call.arguments.get("thread_ts")
    if thread_ts is not None and not channel.thread(str(thread_ts)):
        raise SlackRefused("thread_not_found")
    message = Message(
        slack.clock.next(),
        channel.id,
        workspace.bot_user,
        bot_id=workspace.bot_id,
        app_id=workspace.app_id,
        thread_ts=str(thread_ts) if thread_ts is not None else None,
        metadata=_metadata(call),
        **_content(call, MAX_POST_TEXT),
    )
    for name in ("unfurl_links", "unfurl_media"):
        if name in call.arguments:
            setattr(message, name, call.truth(name))
    slack.posted(workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts, "message": message.to_json(with_metadata=True)}


@method("chat.postEphemeral", "chat:write")
def post_ephemeral(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel = _open_channel(slack, workspace, call)
    user = str(call.need("user"))
    if user not in channel.members:
        raise SlackRefused("user_not_in_channel")
    message = Message(
        slack.clock.next(),
        channel.id,
        workspace.bot_user,
        bot_id=workspace.bot_id,
        app_id=workspace.app_id,
        thread_ts=call.arguments.get("thread_ts"),
        ephemeral_for=user,
        **_content(call, MAX_POST_TEXT),
    )
    channel.ephemeral[message.ts] = message
    return {"message_ts": message.ts}


@method("chat.update", "chat:write")
def update_message(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel, message = _own_message(workspace, call, "cant_update_message")
    given = _content(call, MAX_UPDATE_TEXT)
    if "blocks" not in call.arguments and "text" in call.arguments:
        given["blocks"] = []
    metadata = _metadata(call) if "metadata" in call.arguments else message.metadata
    slack.changed_message(workspace, channel, message, given, by=workspace.bot_user)
    message.metadata = metadata
    return {
        "channel": channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": message.to_json(with_metadata=True),
    }


@method("chat.delete", "chat:write")
def delete_message(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel, message = _own_message(workspace, call, "cant_delete_message")
    slack.removed_message(workspace, channel, message)
    return {"channel": channel.id, "ts": message.ts}


@method("chat.getPermalink")
def permalink(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel = channel_of(workspace, call)
    ts = str(call.need("message_ts"))
    if ts not in channel.messages:
        raise SlackRefused("message_not_found")
    digits = ts.replace(".", "")
    link = f"https://{workspace.domain}.slack.com/archives/{channel.id}/p{digits}"
    return {"channel": channel.id, "permalink": link}


def _open_channel(slack: SlackServer, workspace: Workspace, call: Call) -> Channel:
    """Where the bot may write now; a user's id opens the conversation with that user."""
    target = str(call.need("channel"))
    if target.startswith("U") and target in workspace.users:
        return slack.direct_channel(workspace, target)
    channel = channel_of(workspace, call)
    if channel.archived:
        raise SlackRefused("is_archived")
    if not workspace.bot_in(channel):
        raise SlackRefused("not_in_channel")
    return channel


def _own_message(workspace: Workspace, call: Call, refusal: str) -> tuple[Channel, Message]:
    channel = channel_of(workspace, call)
    message = channel.messages.get(str(call.need("ts")))
    if message is None:
        raise SlackRefused("message_not_found")
    if message.bot_id != workspace.bot_id or message.subtype == "tombstone":
        raise SlackRefused(refusal)
    if channel.archived:
        raise SlackRefused("is_inactive")
    return channel, message


def _content(call: Call, most_text: int) -> Json:
    """Text, blocks and attachments, as far as Slack takes them."""
    text, blocks = call.arguments.get("text") or "", call.arguments.get("blocks") or []
    attachments = call.arguments.get("attachments") or []
    if not isinstance(text, str):
        raise SlackRefused("invalid_arguments")
    check_blocks(blocks)
    if not text and not blocks and not attachments:
        raise SlackRefused("no_text")
    if len(text) > most_text:
        raise SlackRefused("msg_too_long")
    if characters_in(blocks) > MAX_BLOCK_CHARACTERS:
        raise SlackRefused("msg_blocks_too_long")
    return {"text": text, "blocks": blocks, "attachments": attachments}


def check_blocks(blocks: Any) -> None:
    if not isinstance(blocks, list):
        raise SlackRefused("invalid_blocks_format")
    errors = block_errors(blocks)
    if errors:
        messages = [f"[ERROR] {error}" for error in errors]
        raise SlackRefused(
            "invalid_blocks", errors=errors, response_metadata={"messages": messages}
        )


def _metadata(call: Call) -> Json | None:
    given = call.arguments.get("metadata")
    if given in (None, "", {}):
        return None
    if not isinstance(given, dict) or set(given) != {"event_type", "event_payload"}:
        raise SlackRefused("invalid_metadata_format")
    if not isinstance(given["event_payload"], dict) or not isinstance(given["event_type"], str):
        raise SlackRefused("invalid_metadata_schema")
    if len(json.dumps(given["event_payload"])) > 16_384:
        raise SlackRefused("metadata_too_large")
    return given


# --- reading


@method("conversations.replies", "history")
def replies(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel = _readable(workspace, call)
    thread = channel.thread(str(call.need("ts")))
    if not thread:
        raise SlackRefused("thread_not_found")
    first = thread[0]
    if first.thread_ts not in (None, first.ts):  # asked with the ts of a reply
        thread = [first]
    return _page(_in_range(thread, call), call)


@method("conversations.history", "history")
def history(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    channel = _readable(workspace, call)
    top = [each for each in channel.messages.values() if each.thread_ts in (None, each.ts)]
    return _page(_in_range(top, call)[::-1], call)


def _readable(workspace: Workspace, call: Call) -> Channel:
    channel = channel_of(workspace, call)
    if not workspace.bot_in(channel):
        raise SlackRefused("not_in_channel")
    return channel


def _in_range(messages: list[Message], call: Call) -> list[Message]:
    oldest, latest = call.arguments.get("oldest"), call.arguments.get("latest")
    inclusive = call.truth("inclusive")
    first = str(call.arguments.get("ts", ""))  # the parent is always shown

    def wanted(ts: str) -> bool:
        late = not oldest or ts > str(oldest) or (inclusive and ts == str(oldest))
        early = not latest or ts < str(latest) or (inclusive and ts == str(latest))
        return late and early

    return [each for each in messages if each.ts == first or wanted(each.ts)]


def _page(messages: list[Message], call: Call) -> Json:
    shown, more = _cut(messages, call, 1000)
    with_metadata = call.truth("include_all_metadata")
    found = [each.to_json(with_metadata=with_metadata) for each in shown]
    return {"messages": found, "has_more": bool(more), "response_metadata": {"next_cursor": more}}


def _cut(items: list[Any], call: Call, most: int) -> tuple[list[Any], str]:
    limit = int(call.arguments.get("limit") or 100)
    if not 1 <= limit <= most:
        raise SlackRefused("invalid_limit")
    cursor = str(call.arguments.get("cursor") or "at-0")
    if not cursor.removeprefix("at-").isdigit():
        raise SlackRefused("invalid_cursor")
    start = int(cursor.removeprefix("at-"))
    end = start + limit
    return items[start:end], f"at-{end}" if end < len(items) else ""


@method("conversations.info", "read")
def channel_info(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    return {"channel": channel_json(workspace, channel_of(workspace, call))}


@method("conversations.members", "read")
def channel_members(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    shown, more = _cut(sorted(channel_of(workspace, call).members), call, 1000)
    return {"members": shown, "response_metadata": {"next_cursor": more}}


@method("conversations.open", "im:write")
def open_direct(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    user = str(call.need("users"))
    if user not in workspace.users:
        raise SlackRefused("user_not_found")
    return {"channel": {"id": slack.direct_channel(workspace, user).id}}


@method("users.info", "users:read")
def user_info(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    user = workspace.users.get(str(call.need("user")))
    if user is None:
        raise SlackRefused("user_not_found")
    return {"user": user_json(workspace, user, with_locale=call.truth("include_locale"))}


@method("users.conversations", "channels:read")
def user_channels(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    user = str(call.arguments.get("user") or workspace.bot_user)
    kinds = str(call.arguments.get("types") or "public_channel").split(",")
    names = {"public_channel": "channel", "private_channel": "group", "im": "im", "mpim": "mpim"}
    if any(kind not in names for kind in kinds):
        raise SlackRefused("invalid_types")
    wanted = {names[kind] for kind in kinds}
    found = [
        channel_json(workspace, channel)
        for channel in workspace.channels.values()
        if user in channel.members
        and channel.kind in wanted
        and not (call.truth("exclude_archived") and channel.archived)
    ]
    shown, more = _cut(found, call, 1000)
    return {"channels": shown, "response_metadata": {"next_cursor": more}}
