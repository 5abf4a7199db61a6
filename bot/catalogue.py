"""The catalogue of feeds, from the file beside the configuration."""

from __future__ import annotations

from functools import lru_cache

import yaml

from bot.configuration import repository_config
from core.catalogue import Catalogue, catalogue_of


@lru_cache(maxsize=1)
def load_catalogue() -> Catalogue:
    """Empty where there is no such file: installed as a package, there is no configuration either."""
    config = repository_config()
    file = config.parent / "feeds.yaml" if config else None
    if file is None or not file.exists():
        return Catalogue()
    return catalogue_of(yaml.safe_load(file.read_text(encoding="utf-8")))
