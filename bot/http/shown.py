"""How records and events look to the outside: plain JSON values.

The digest's own keys are the output contract, exactly; whatever else we know stands beside
them and is only sent when it is asked for.
"""

from __future__ import annotations

import dataclasses
from typing import Any, assert_never

from pydantic import BaseModel

from core.digest import DigestRecord
from core.progress import Checking, Drafting, Event, Finished, Judged, Reading


def contract(record: DigestRecord) -> dict[str, Any]:
    return record.digest.model_dump(mode="json")


def with_details(record: DigestRecord) -> dict[str, Any]:
    return contract(record) | {
        "id": record.id,
        "article": record.article.model_dump(mode="json"),
        "details": record.details.model_dump(mode="json"),
    }


def event(happened: Event) -> tuple[str, dict[str, Any]]:
    """The name and data of a server-sent event."""
    match happened:
        case Reading():
            return "reading", _plain(happened)
        case Judged():
            return "judged", _plain(happened)
        case Drafting():
            return "drafting", _plain(happened)
        case Checking():
            return "checking", _plain(happened)
        case Finished(record, cached):
            return "finished", with_details(record) | {"cached": cached}
        case _:
            assert_never(happened)


def _plain(happened: Reading | Judged | Drafting | Checking) -> dict[str, Any]:
    return {
        field.name: _value(getattr(happened, field.name)) for field in dataclasses.fields(happened)
    }


def _value(value: Any) -> Any:
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return [_value(item) for item in value] if isinstance(value, tuple) else value
