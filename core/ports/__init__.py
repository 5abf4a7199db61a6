"""The seams: what the core needs from the world, each as small as it can be.

Adapters have the shape of a port, they do not inherit it; mypy checks where `bot/wiring/`
assigns them.
"""

from __future__ import annotations

from core.ports.chats import Deliveries, Erasing, Processes, Profiles, Workspaces
from core.ports.digests import Articles, Digests, Verdict
from core.ports.feeds import Announcements, Feeds, Subscriptions
from core.ports.library import AskedTerms, Library
from core.ports.models import Encoder, Engine, Generation, Prompt, Searcher, Vectors
from core.ports.web import Extract, Web

__all__ = [
    "Announcements",
    "Articles",
    "AskedTerms",
    "Deliveries",
    "Digests",
    "Encoder",
    "Engine",
    "Erasing",
    "Extract",
    "Feeds",
    "Generation",
    "Library",
    "Processes",
    "Profiles",
    "Prompt",
    "Searcher",
    "Subscriptions",
    "Vectors",
    "Verdict",
    "Web",
    "Workspaces",
]
