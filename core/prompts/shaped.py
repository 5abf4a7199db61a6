"""Answers in JSON: one shape says what is asked of the engine and how the reply is read.

An engine that can keeps to the schema (`Generation.schema`); of any other the reply is repaired,
what is foreign is dropped and what is missing is filled with the shape's own defaults. Either
way the caller gets a whole value of the same type, or None where the reply holds nothing of it.
"""

from __future__ import annotations

import json
from typing import Generic, TypeVar

import json_repair
from pydantic import BaseModel, ValidationError

T = TypeVar("T", bound=BaseModel)


class Shape(Generic[T]):
    """Of a model whose fields all have defaults: they fill what a reply lacks."""

    def __init__(self, kind: type[T]) -> None:
        lacking = [name for name, field in kind.model_fields.items() if field.is_required()]
        if lacking:
            raise TypeError(f"{kind.__name__}: no default for {', '.join(lacking)}")
        self.kind = kind
        self.schema = json.dumps(_strict(kind), ensure_ascii=False, sort_keys=True)

    def read(self, reply: str) -> T | None:
        begin = reply.find("{")
        if begin < 0:
            return None
        try:
            found = json_repair.loads(reply[begin:], skip_json_loads=False)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict):
            return None
        known = {name: found[name] for name in self.kind.model_fields if name in found}
        return self._filled(known) if known else None

    def _filled(self, known: dict[str, object]) -> T | None:
        """Whatever does not fit its field is left out, until the rest fits."""
        while known:
            try:
                return self.kind.model_validate(known)
            except ValidationError as error:
                wrong = {str(one["loc"][0]) for one in error.errors() if one["loc"]}
                if not wrong & known.keys():
                    return None
                known = {name: value for name, value in known.items() if name not in wrong}
        return None


def _strict(kind: type[BaseModel]) -> dict[str, object]:
    """Every field must come, and no other: constrained engines then write whole answers."""
    schema = kind.model_json_schema()
    for part in (schema, *schema.get("$defs", {}).values()):
        if part.get("type") == "object":
            part["required"] = list(part.get("properties", {}))
            part["additionalProperties"] = False
            for field in part.get("properties", {}).values():
                field.pop("default", None)
    return schema
