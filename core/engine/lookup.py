"""What an answer may go on with, because that came next before: prompt lookup.

A summary quotes its article. Where the last two tokens stood earlier, in the prompt or in the
answer, what followed them there is a guess that costs nothing, and a forward pass can check
several tokens for little more than one. Tokens are chosen as without guesses, one after the other:
a guess only decides how many of them one pass reaches. On 120 abstracts the tuned model's answers
took 1.9 (one line) to 3.7 (free) times fewer passes.
"""

from __future__ import annotations

from collections.abc import Sequence

MOST = 8


class Drafts:
    """The guesses for one row. `size`: how many tokens it dares; less after a wrong guess."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.size = MOST
        self._after: dict[tuple[int, ...], int] = {}
        for end in range(1, len(ids)):
            self._learn(ids, end)

    def wrote(self, ids: Sequence[int]) -> None:
        """The last of these is new."""
        self._learn(ids, len(ids) - 1)

    def _learn(self, ids: Sequence[int], at: int) -> None:
        self._after[(ids[at - 1],)] = at
        if at > 1:
            self._after[(ids[at - 2], ids[at - 1])] = at

    def guess(self, ids: Sequence[int], most: int) -> list[int]:
        """At most so many tokens; none where the end of `ids` never stood there before."""
        for size in (2, 1):
            at = self._after.get(tuple(ids[-size:]))
            if at is not None:
                return list(ids[at : at + max(0, min(most, self.size))])
        return []

    def came(self, guessed: int, right: int) -> None:
        """How many of the guessed tokens were the answer's own."""
        if right < guessed:
            self.size = max(2, self.size // 2)
        elif guessed:
            self.size = min(MOST, 2 * self.size)
