"""What is wrong with a value, in words for somebody who did not write the code."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Context = Mapping[str, Any]

# pydantic's kinds of error that a person can cause in a setting or an article
_WORDS: dict[str, Callable[[str, Context], str]] = {
    "missing": lambda value, _: "is missing",
    "extra_forbidden": lambda value, _: "is not a known field",
    "int_parsing": lambda value, _: f"{value} is not a whole number",
    "int_type": lambda value, _: f"{value} is not a whole number",
    "int_from_float": lambda value, _: f"{value} is not a whole number",
    "float_parsing": lambda value, _: f"{value} is not a number",
    "float_type": lambda value, _: f"{value} is not a number",
    "finite_number": lambda value, _: f"{value} is not a finite number",
    "bool_parsing": lambda value, _: f"{value} is neither true nor false",
    "bool_type": lambda value, _: f"{value} is neither true nor false",
    "string_type": lambda value, _: f"{value} is not text",
    "string_too_short": lambda value, _: "is empty",
    "string_pattern_mismatch": lambda value, _: "is empty",
    "path_type": lambda value, _: f"{value} is not a path",
    "tuple_type": lambda value, _: f"{value} is not a list",
    "model_type": lambda value, _: "is not an object with fields",
    "json_invalid": lambda value, _: "is not valid JSON",
    "greater_than": lambda value, ctx: f"{value} is too small: more than {ctx['gt']:g} is needed",
    "greater_than_equal": lambda value, ctx: f"{value} is too small: at least {ctx['ge']:g}",
    "less_than": lambda value, ctx: f"{value} is too large: less than {ctx['lt']:g} is needed",
    "less_than_equal": lambda value, ctx: f"{value} is too large: at most {ctx['le']:g}",
}


def in_words(error: Mapping[str, Any]) -> str:
    """One of pydantic's errors (`ValidationError.errors()`) as part of a sentence."""
    value = short(error.get("input"))
    kind = error["type"]
    if kind == "literal_error":
        choices = [choice.strip("' ") for choice in _choices(error["ctx"]["expected"])]
        text = f"{value} is not one of {', '.join(choices)}"
        return with_suggestion(text, str(error.get("input")), choices)
    words = _WORDS.get(kind)
    if words is not None:
        return words(value, error.get("ctx", {}))
    return f"{value}: {error['msg']}"


def with_suggestion(text: str, given: str, *choices: Sequence[str]) -> str:
    """`text; did you mean …?` when something in the first fitting list of choices is near."""
    for options in choices:
        near = difflib.get_close_matches(given, options, n=1, cutoff=0.6)
        if near:
            return f"{text}; did you mean {near[0]}?"
    return text


def short(value: Any, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _choices(expected: str) -> list[str]:
    return expected.replace(" or ", ", ").split(", ")
