"""Interactions: presses, choices, commands and forms, and the answers to them."""

from __future__ import annotations

from collections.abc import Callable

from support.discord_messages import Messages
from support.discord_rest import Call
from support.discord_world import World


class Interactions:
    def __init__(self, world: World, messages: Messages) -> None:
        self.world = world
        self.messages = messages

    def routes(self) -> dict[str, Callable[[Call], object]]:
        return {}
