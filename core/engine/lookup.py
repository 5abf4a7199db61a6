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
# Right tokens of a guess before there was one, and what each guess that was left out adds: after
# about a dozen of them it is tried again. Tuned with `needed` 1 on 13 abstracts and blog posts.
_HOPED = 1.5
_PATIENCE = 0.05


class Drafts:
    """The guesses for one row. `size`: how many tokens it dares, less after a wrong guess; `worth`:
    how many of a guess were right, of late."""

    def __init__(self, ids: Sequence[int]) -> None:
        self.size = MOST
        self.worth = _HOPED
        self._after: dict[tuple[int, int], int] = {}
        for end in range(2, len(ids)):
            self._learn(ids, end)

    def wrote(self, ids: Sequence[int]) -> None:
        """The last of these is new."""
        if len(ids) > 2:
            self._learn(ids, len(ids) - 1)

    def _learn(self, ids: Sequence[int], at: int) -> None:
        self._after[ids[at - 2], ids[at - 1]] = at

    def guess(self, ids: Sequence[int], most: int, needed: float = 0.0) -> list[int]:
        """At most so many tokens; none where the end of `ids` never stood there before, or fewer
        than `needed` are right as a rule."""
        at = self._after.get((ids[-2], ids[-1])) if len(ids) > 1 else None
        if at is None:
            return []
        if self.worth < needed:
            self.worth += _PATIENCE
            return []
        return list(ids[at : at + max(0, min(most, self.size))])

    def came(self, guessed: int, right: int) -> None:
        """How many of the guessed tokens were the answer's own."""
        if not guessed:
            return
        self.worth += (right - self.worth) / 2
        self.size = max(2, self.size // 2) if right < guessed else min(MOST, 2 * self.size)
