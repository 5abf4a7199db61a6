"""Answers that can only be JSON of a given schema: llguidance says which tokens may come next.

White space between the parts is forbidden: a small model under a schema otherwise likes to write
nothing else. Where llguidance is missing or does not know the tokenizer, answers are free, and
`core.prompts.shaped` repairs them.
"""

from __future__ import annotations

import logging
from typing import Any

import numpy as np
from numpy.typing import NDArray

log = logging.getLogger(__name__)


class Constraints:
    """Makes one `Constraint` for an answer; the tokenizer is prepared once (about a second)."""

    def __init__(self, tokenizer: Any, vocabulary: int, ends: frozenset[int]) -> None:
        self._tokenizer = tokenizer
        self._vocabulary = vocabulary
        self._ends = ends
        self._prepared: Any = None
        self._able = True

    def constraint(self, schema: str) -> Constraint | None:
        """None where there is no schema, or none can be kept to."""
        if not schema or not self._able:
            return None
        try:
            import llguidance
            import llguidance.hf

            if self._prepared is None:
                self._prepared = llguidance.hf.from_tokenizer(
                    self._tokenizer, n_vocab=self._vocabulary, eos_token=sorted(self._ends)
                )
            grammar = llguidance.LLMatcher.grammar_from_json_schema(
                schema, overrides={"whitespace_flexible": False}
            )
            matcher = llguidance.LLMatcher(self._prepared, grammar)
        except ImportError:
            log.warning("llguidance is not installed: JSON answers are repaired, not constrained")
            self._able = False
            return None
        except Exception as error:  # noqa: BLE001 - it raises plain exceptions of many kinds
            log.warning("answers cannot be kept to a schema (%s); they are repaired", error)
            self._able = self._prepared is not None
            return None
        if matcher.is_error():
            log.warning("a schema cannot be kept to: %s", matcher.get_error())
            return None
        return Constraint(matcher, self._vocabulary)


class Constraint:
    """What one answer may go on with."""

    def __init__(self, matcher: Any, vocabulary: int) -> None:
        self._matcher = matcher
        self._vocabulary = vocabulary
        self._bits = np.zeros((vocabulary + 31) // 32, dtype=np.int32)

    @property
    def finished(self) -> bool:
        """The JSON is whole: nothing may follow."""
        return bool(self._matcher.is_stopped())

    def allowed(self) -> NDArray[np.bool_]:
        """For each token, whether it may come next."""
        self._matcher.unsafe_compute_mask_ptr(self._bits.ctypes.data, self._bits.nbytes)
        bits = np.unpackbits(self._bits.view(np.uint8), bitorder="little")
        return bits[: self._vocabulary].astype(np.bool_)

    def wrote(self, token: int) -> None:
        self._matcher.consume_token(token)
