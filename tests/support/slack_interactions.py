"""Commands, presses, choices, forms and shortcuts, with a person waiting for the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from support.slack_block_rules import options_errors, view_errors
from support.slack_core import SlackCore
from support.slack_delivery import Attempt
from support.slack_elements import chosen_in, element_in, options_in, state_of
from support.slack_faults import SlackRefused
from support.slack_response_urls import ResponseUrl
from support.slack_world import Channel, Json, Message, View, Workspace

UNANSWERED = "operation_timeout"  # what Slack shows when no ack came in time
EXTERNAL = ("external_select", "multi_external_select")
MIN_QUERY = 3  # letters before which Slack asks for no options, where a list does not say


@dataclass
class Interaction:
    """What a person did, and what came of it."""

    attempt: Attempt
    trigger_id: str
    place: ResponseUrl | None = None

    @property
    def acked(self) -> bool:
        return self.attempt.acked

    @property
    def answer(self) -> Any:
        """What the app put into the ack."""
        return self.attempt.answer

    @property
    def messages(self) -> list[Message]:
        """What was answered through the ack or the response_url, and still stands."""
        return [each for each in self.place.messages if not each.deleted] if self.place else []


@dataclass
class Suggested(Interaction):
    """What was offered to a person who typed into a list."""

    options: list[Json] = field(default_factory=list)

    @property
    def values(self) -> list[str]:
        return [str(option["value"]) for option in self.options]


class Interactions(SlackCore):
    async def command(
        self, command: str, text: str = "", *, user: str, channel: Channel
    ) -> Interaction:
        """`/digest …` typed in a channel; done once the app acknowledged, or after 3 s."""
        workspace = self.workspaces[channel.team]
        assert "commands" in workspace.scopes, "without the scope there is no command"
        workspace.person(user)
        place, trigger = self.response_urls.new(workspace, channel, user), self.trigger(user)
        payload: Json = {
            "token": "an-old-verification-token",
            "team_id": workspace.id,
            "team_domain": workspace.domain,
            "channel_id": channel.id,
            "channel_name": channel.name,
            "user_id": user,
            "user_name": workspace.users[user].name,
            "command": command,
            "text": text,
            "api_app_id": self.app_id,
            "is_enterprise_install": "false",
            "response_url": self.response_urls.address(place),
            "trigger_id": trigger,
        }
        attempt = await self._send("slash_commands", payload, f"{command} {text}".strip())
        self._show_ack(attempt, place)
        return Interaction(attempt, trigger, place)

    async def press(self, shown: Message | View, action_id: str, *, user: str) -> Interaction:
        """The button with this action_id, which must be there to be pressed."""
        element, block_id = element_in(shown, action_id)
        assert element["type"] == "button", f"{action_id} is a {element['type']}: choose"
        chosen: Json = {
            name: element[name] for name in ("text", "value", "style") if name in element
        }
        return await self._act(shown, element, block_id, chosen, user)

    async def choose(
        self, shown: Message | View, action_id: str, value: str, *, user: str
    ) -> Interaction:
        """The option with this value in a select, an overflow menu or a list."""
        element, block_id = element_in(shown, action_id)
        chosen = chosen_in(element, value, _offered(shown, action_id))
        return await self._act(shown, element, block_id, chosen, user)

    async def suggest(self, view: View, action_id: str, typed: str = "") -> Suggested:
        """Letters typed into a list whose options the app knows; done with its answer, or after
        3 s. What an app answers wrongly, the person sees as no result."""
        element, block_id = element_in(view, action_id)
        least = element.get("min_query_length", MIN_QUERY)
        assert element["type"] in EXTERNAL, f"{action_id} is a {element['type']}"
        assert len(typed) >= least, f"Slack does not ask before {least} letters"
        payload = {
            **self._base(self.workspaces[view.team], view.user, "block_suggestion", ""),
            "container": {"type": "view", "view_id": view.id},
            "view": view.to_json(),
            "action_id": action_id,
            "block_id": block_id,
            "value": typed,
        }
        attempt = await self._send("interactive", payload, f"options of {action_id}")
        errors = options_errors(attempt.answer) if attempt.acked else [UNANSWERED]
        if attempt.acked and errors:
            self.failures.append(f"the options of {action_id} were refused: {errors}")
        found = [] if errors else options_in(attempt.answer)
        view.offered.setdefault(action_id, []).extend(found)
        return Suggested(attempt, "", options=found)

    async def submit(
        self, view: View, values: dict[str, Any] | None = None, *, user: str | None = None
    ) -> Interaction:
        """Send a modal; values by action_id, what is not named keeps its initial value."""
        workspace, person = self.workspaces[view.team], user or view.user
        assert not view.closed, "this modal is closed"
        assert "submit" in view.content, "this modal has no submit button"
        trigger = self.trigger(person)
        payload = {
            **self._base(workspace, person, "view_submission", trigger),
            "view": {**view.to_json(), "state": {"values": state_of(view, values or {})}},
            "response_urls": [],
        }
        attempt = await self._send("interactive", payload, "the modal")
        if attempt.acked:
            self._submitted(workspace, view, attempt.answer)
        return Interaction(attempt, trigger)

    async def close_view(self, view: View) -> Interaction | None:
        """The person closes a modal; the app hears of it where it asked to."""
        view.closed = True
        if not view.content.get("notify_on_close"):
            return None
        workspace = self.workspaces[view.team]
        payload = {
            **self._base(workspace, view.user, "view_closed", ""),
            "view": view.to_json(),
            "is_cleared": False,
        }
        return Interaction(await self._send("interactive", payload, "closing"), "")

    async def shortcut(self, callback_id: str, message: Message, *, user: str) -> Interaction:
        """A message shortcut."""
        workspace, channel = self._place_of(message)
        place, trigger = self.response_urls.new(workspace, channel, user), self.trigger(user)
        payload = {
            **self._base(workspace, user, "message_action", trigger),
            "callback_id": callback_id,
            "channel": {"id": channel.id, "name": channel.name},
            "message": message.to_json(),
            "message_ts": message.ts,
            "action_ts": self.clock.next(),
            "response_url": self.response_urls.address(place),
        }
        attempt = await self._send("interactive", payload, callback_id)
        return Interaction(attempt, trigger, place)

    async def global_shortcut(
        self, callback_id: str, *, user: str, team: str = "T1"
    ) -> Interaction:
        trigger = self.trigger(user)
        payload = {
            **self._base(self.workspace(team), user, "shortcut", trigger),
            "callback_id": callback_id,
            "action_ts": self.clock.next(),
        }
        return Interaction(await self._send("interactive", payload, callback_id), trigger)

    # --- how it travels

    def _base(self, workspace: Workspace, user: str, kind: str, trigger: str) -> Json:
        person = workspace.person(user)
        return {
            "type": kind,
            "user": {
                "id": user,
                "username": person.name,
                "name": person.name,
                "team_id": workspace.id,
            },
            "team": {"id": workspace.id, "domain": workspace.domain},
            "api_app_id": self.app_id,
            "token": "an-old-verification-token",
            "enterprise": None,
            "is_enterprise_install": False,
            **({"trigger_id": trigger} if trigger else {}),
        }

    async def _send(self, kind: str, payload: Json, what: str) -> Attempt:
        attempt = await self.deliveries.deliver(self.road, kind, payload)
        if not attempt.acked or attempt.seconds > self.deliveries.ack_within:
            self.failures.append(f"{what}: {UNANSWERED}")
        self.changed()
        return attempt

    async def _act(
        self, shown: Message | View, element: Json, block_id: str, chosen: Json, user: str
    ) -> Interaction:
        action = {
            "type": element["type"],
            "action_id": element["action_id"],
            "block_id": block_id,
            "action_ts": self.clock.next(),
            **chosen,
        }
        trigger = self.trigger(user)
        place: ResponseUrl | None = None
        if isinstance(shown, View):
            workspace = self.workspaces[shown.team]
            where: Json = {
                "container": {"type": "view", "view_id": shown.id},
                "view": shown.to_json(),
            }
        else:
            workspace, channel = self._place_of(shown)
            place = self.response_urls.new(workspace, channel, user, shown)
            where = self._on_message(channel, shown, place)
        payload = {
            **self._base(workspace, user, "block_actions", trigger),
            **where,
            "actions": [action],
        }
        attempt = await self._send("interactive", payload, element["action_id"])
        return Interaction(attempt, trigger, place)

    def _on_message(self, channel: Channel, message: Message, place: ResponseUrl) -> Json:
        ephemeral = message.ephemeral_for is not None
        container: Json = {
            "type": "message",
            "message_ts": message.ts,
            "channel_id": channel.id,
            "is_ephemeral": ephemeral,
        }
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        where: Json = {
            "container": container,
            "channel": {"id": channel.id, "name": channel.name},
            "state": {"values": {}},
            "response_url": self.response_urls.address(place),
        }
        # an ephemeral message is not sent along
        return where if ephemeral else {**where, "message": message.to_json()}

    def _place_of(self, message: Message) -> tuple[Workspace, Channel]:
        for workspace in self.workspaces.values():
            channel = workspace.channels.get(message.channel)
            if channel is not None and message in (
                *channel.messages.values(),
                *channel.ephemeral.values(),
            ):
                return workspace, channel
        raise AssertionError(f"nobody sees the message {message.ts} any more")

    def _show_ack(self, attempt: Attempt, place: ResponseUrl) -> None:
        """What the ack of a command carries is shown like an answer."""
        said = {"text": attempt.answer} if isinstance(attempt.answer, str) else attempt.answer
        if not attempt.acked or not said or not (said.get("text") or said.get("blocks")):
            return
        try:
            self.response_urls.answer(place, said)
        except SlackRefused as refused:
            self.failures.append(f"the ack was refused: {refused.error} {refused.more}")

    def _submitted(self, workspace: Workspace, view: View, answer: Any) -> None:
        said = answer if isinstance(answer, dict) else {}
        match said.get("response_action"):
            case None:
                view.closed = True
            case "clear":
                for each in workspace.views.values():
                    each.closed = each.closed or each.user == view.user
            case "errors":
                inputs = {
                    block.get("block_id")
                    for block in view.content["blocks"]
                    if block["type"] == "input"
                }
                unknown = set(said.get("errors", {})) - inputs
                if unknown or not said.get("errors"):
                    self.failures.append(f"errors for blocks that are no inputs: {unknown}")
            case "update" | "push" as action:
                self._replaced(workspace, view, said.get("view"), push=action == "push")
            case other:
                self.failures.append(f"unknown response_action: {other}")

    def _replaced(self, workspace: Workspace, view: View, content: Any, *, push: bool) -> None:
        errors = view_errors(content)
        if errors:
            self.failures.append(f"the view was refused: {errors}")
        elif push:
            new = self.view_of(workspace, view.user, content)
            workspace.views[new.id] = new
        else:
            view.content, view.hash = content, self.next_id("hash.")


def _offered(shown: Message | View, action_id: str) -> list[Json]:
    return shown.offered.get(action_id, []) if isinstance(shown, View) else []
