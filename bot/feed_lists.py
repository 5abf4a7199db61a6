"""Lists of feeds as files: the catalogue that comes with the product, and OPML."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import yaml
from pydantic import ValidationError

from bot.configuration import repository_config
from core.catalogue import Catalogue, catalogue_of
from core.errors import BadLink, NotAFeed
from core.feed import FoundFeed
from core.links import followable
from core.web.opml import MOST_BYTES, read_opml
from core.wishes import sources

log = logging.getLogger(__name__)


@cache
def known_feeds() -> Catalogue:
    """`config/feeds.yaml` where this is a checkout; else, or where it cannot be read, nothing."""
    config = repository_config()
    file = None if config is None else config.with_name("feeds.yaml")
    if file is None or not file.exists():
        return Catalogue()
    try:
        return catalogue_of(yaml.safe_load(file.read_text(encoding="utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        log.warning("%s cannot be read: %s", file, error)
        return Catalogue()


def offered_as(feed: FoundFeed) -> str | None:
    """Its address as a form's text gives it back; None for one that it would not."""
    try:
        link = followable(feed.url)
    except BadLink:
        return None
    return link if sources(link) == (link,) else None


def feeds_in(file: Path) -> Sequence[FoundFeed]:
    """Of an OPML file. Raises NotAFeed."""
    try:
        with file.open("rb") as opened:
            return read_opml(opened.read(MOST_BYTES))
    except OSError as error:
        raise NotAFeed(str(file), error.strerror or str(error)) from error
