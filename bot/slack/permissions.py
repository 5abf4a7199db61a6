"""What the app asks of a workspace: exactly the scopes of what it calls and listens to.

`config/slack-manifest.yaml` says the same to Slack; a test compares them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

_READ = ("channels:read", "groups:read", "im:read", "mpim:read")
_HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")

METHODS: Mapping[str, tuple[str, ...]] = {
    "auth.test": (),
    "apps.connections.open": (),  # with the app token, which needs connections:write
    "chat.postMessage": ("chat:write",),
    "chat.postEphemeral": ("chat:write",),
    "chat.update": ("chat:write",),
    "chat.delete": ("chat:write",),
    "conversations.history": _HISTORY,
    "conversations.replies": _HISTORY,
    "conversations.info": _READ,
    "users.conversations": ("channels:read",),
    "users.info": ("users:read",),
    "views.open": (),
    "views.publish": (),
}

# As they are subscribed to; `message.channels` and its kin arrive as `message`.
EVENTS: Mapping[str, tuple[str, ...]] = {
    "app_home_opened": (),
    "app_mention": ("app_mentions:read",),
    "app_uninstalled": (),
    "channel_archive": ("channels:read",),
    "group_archive": ("groups:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "reaction_added": ("reactions:read",),
    "tokens_revoked": (),
}

COMMANDS = ("/digest", "/ask", "/explain")

SCOPES: tuple[str, ...] = tuple(
    sorted(
        {
            "commands",
            *(scope for scopes in METHODS.values() for scope in scopes),
            *(scope for scopes in EVENTS.values() for scope in scopes),
        }
    )
)


def missing(granted: Collection[str] | None) -> list[str]:
    """What an installation lacks, perhaps because it is older than this version of the app."""
    return [] if granted is None else [scope for scope in SCOPES if scope not in granted]
