"""Everything put together: the one place that sees the core's edges and the storage at once."""

from __future__ import annotations

from bot.wiring.bot import Bot, ChatMaker, open_bot
from bot.wiring.models import ModelState, encoder_state, model_state
from bot.wiring.mornings import open_day, open_subscribing
from bot.wiring.service import Progress, Service, open_library, open_service
from bot.wiring.stores import Stores, data_dir, database_state, open_erasing

__all__ = [
    "Bot",
    "ChatMaker",
    "ModelState",
    "Progress",
    "Service",
    "Stores",
    "data_dir",
    "database_state",
    "encoder_state",
    "model_state",
    "open_bot",
    "open_day",
    "open_erasing",
    "open_library",
    "open_service",
    "open_subscribing",
]
