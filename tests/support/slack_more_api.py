"""The Web API beside messages: who one is, reactions, views, installing."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from support.slack_api import Call, channel_of, method
from support.slack_block_rules import view_errors
from support.slack_faults import SlackRefused
from support.slack_world import ALL_SCOPES, Json, Message, View, Workspace

if TYPE_CHECKING:
    from support.slack_core import SlackCore as SlackServer


@method("auth.test")
def auth_test(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    return {
        "url": f"https://{workspace.domain}.slack.com/",
        "team": workspace.domain,
        "user": "smartdevdigest",
        "team_id": workspace.id,
        "user_id": workspace.bot_user,
        "bot_id": workspace.bot_id,
        "is_enterprise_install": False,
    }


@method("team.info", "team:read")
def team_info(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    return {"team": {"id": workspace.id, "name": workspace.domain, "domain": workspace.domain}}


@method("bots.info", "users:read")
def bot_info(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    if call.arguments.get("bot") != workspace.bot_id:
        raise SlackRefused("bot_not_found")
    return {
        "bot": {
            "id": workspace.bot_id,
            "deleted": False,
            "name": "smartdevdigest",
            "app_id": workspace.app_id,
            "user_id": workspace.bot_user,
        }
    }


@method("auth.revoke")
def revoke(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    workspace.revoked = "token_revoked"
    return {"revoked": True}


# --- reactions


def _reacted(workspace: Workspace, call: Call) -> Message:
    channel = channel_of(workspace, call)
    message = channel.messages.get(str(call.need("timestamp")))
    if message is None:
        raise SlackRefused("message_not_found")
    if channel.archived:
        raise SlackRefused("is_archived")
    return message


@method("reactions.add", "reactions:write")
def add_reaction(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    name = str(call.need("name")).strip(":")
    message = _reacted(workspace, call)
    users = message.reactions.setdefault(name, [])
    if workspace.bot_user in users:
        raise SlackRefused("already_reacted")
    users.append(workspace.bot_user)
    slack.reacted(workspace, message, name, workspace.bot_user)
    return {}


@method("reactions.remove", "reactions:write")
def remove_reaction(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    name = str(call.need("name")).strip(":")
    message = _reacted(workspace, call)
    users = message.reactions.get(name, [])
    if workspace.bot_user not in users:
        raise SlackRefused("no_reaction")
    users.remove(workspace.bot_user)
    if not users:
        del message.reactions[name]
    slack.changed()
    return {}


@method("reactions.get", "reactions:read")
def get_reactions(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    message = _reacted(workspace, call)
    return {"type": "message", "channel": message.channel, "message": message.to_json()}


# --- views


def _checked(call: Call, kind: str) -> Json:
    view = call.need("view")
    if not isinstance(view, dict):
        raise SlackRefused("invalid_arguments")
    errors = view_errors(view)
    if view.get("type") != kind:
        errors.append(f"must be a {kind} view [json-pointer:/view/type]")
    if errors:
        messages = [f"[ERROR] {error}" for error in errors]
        raise SlackRefused(
            "invalid_arguments", errors=errors, response_metadata={"messages": messages}
        )
    return view


def _spend_trigger(slack: SlackServer, call: Call) -> str:
    """Whose trigger it was; it works once and for three seconds."""
    trigger = str(call.need("trigger_id"))
    if trigger in slack.spent_triggers:
        raise SlackRefused("exchanged_trigger_id")
    if trigger not in slack.triggers:
        raise SlackRefused("invalid_trigger_id")
    expires, user = slack.triggers[trigger]
    if time.monotonic() > expires:
        raise SlackRefused("expired_trigger_id")
    slack.spent_triggers.add(trigger)
    return user


def _keep(slack: SlackServer, workspace: Workspace, user: str, content: Json) -> View:
    external = content.get("external_id")
    if external and any(
        view.content.get("external_id") == external for view in workspace.views.values()
    ):
        raise SlackRefused("duplicate_external_id")
    view = slack.view_of(workspace, user, content)
    workspace.views[view.id] = view
    slack.changed()
    return view


@method("views.open")
def open_view(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    content = _checked(call, "modal")
    view = _keep(slack, workspace, _spend_trigger(slack, call), content)
    return {"view": view.to_json()}


@method("views.push")
def push_view(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    content = _checked(call, "modal")
    user = _spend_trigger(slack, call)
    below = [view for view in workspace.views.values() if view.user == user and not view.closed]
    if not below:
        raise SlackRefused("view_not_found")
    if len(below) >= 3:
        raise SlackRefused("push_limit_reached")
    view = _keep(slack, workspace, user, content)
    view.previous = below[-1].id
    return {"view": view.to_json()}


@method("views.update")
def update_view(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    content = _checked(call, "modal")
    wanted, external = call.arguments.get("view_id"), call.arguments.get("external_id")
    if not wanted and not external:
        raise SlackRefused("invalid_arguments")
    found = [
        view
        for view in workspace.views.values()
        if not view.closed
        and (view.id == wanted or (external and view.content.get("external_id") == external))
    ]
    if not found:
        raise SlackRefused("not_found")
    view, seen = found[0], call.arguments.get("hash")
    if seen and seen != view.hash:
        raise SlackRefused("hash_conflict")
    view.content, view.hash = content, slack.next_id("hash.")
    slack.changed()
    return {"view": view.to_json()}


@method("views.publish")
def publish_view(slack: SlackServer, workspace: Workspace, call: Call) -> Json:
    content = _checked(call, "home")
    user = str(call.need("user_id"))
    if user not in workspace.users:
        raise SlackRefused("user_not_found")
    before, seen = workspace.homes.get(user), call.arguments.get("hash")
    if before is not None and seen and seen != before.hash:
        raise SlackRefused("hash_conflict")
    view = slack.view_of(workspace, user, content)
    workspace.homes[user] = view
    slack.changed()
    return {"view": view.to_json()}


# --- installing


WHOLE_ORGANISATION = {
    "enterprise": {"id": "E1", "name": "Everybody"},
    "is_enterprise_install": True,
}


def exchange_code(slack: SlackServer, call: Call, client: tuple[str, str] | None) -> Json:
    """oauth.v2.access: a code is good once; the app says who it is by HTTP basic or in the form."""
    given = client or (
        str(call.arguments.get("client_id")),
        str(call.arguments.get("client_secret")),
    )
    if given[0] != slack.client_id:
        raise SlackRefused("invalid_client_id")
    if given[1] != slack.client_secret:
        raise SlackRefused("bad_client_secret")
    team = slack.oauth_codes.pop(str(call.need("code")), None)
    if team is None:
        raise SlackRefused("invalid_code")
    workspace = slack.workspace(team)
    workspace.revoked = None
    return {
        "access_token": workspace.bot_token,
        "token_type": "bot",
        "scope": ",".join(sorted(workspace.scopes & ALL_SCOPES)),
        "bot_user_id": workspace.bot_user,
        "app_id": workspace.app_id,
        "team": {"id": workspace.id, "name": workspace.domain},
        "enterprise": None,
        "is_enterprise_install": False,
        "authed_user": {"id": "U1"},
        **({"team": None, **WHOLE_ORGANISATION} if slack.for_organisations else {}),
    }
