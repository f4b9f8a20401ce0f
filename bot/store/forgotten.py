"""Who has had themselves forgotten since when: what was under way for them is not written."""

from __future__ import annotations


class Forgotten:
    """The requests to forget since the start; what was under way before one ends with it.

    Between asking this and giving the store its work, nothing may be awaited: the store does what
    it is given in order.
    """

    def __init__(self) -> None:
        self._last: dict[int, int] = {}
        self.count = 0  # of requests until now: a moment, for `since`

    def note(self, person: int) -> None:
        """Note that a person is forgotten: to be called as the store is given that work."""
        self.count += 1
        self._last[person] = self.count

    def since(self, moment: int, *people: int) -> bool:
        """Whether one of these people has been forgotten since a moment."""
        return any(self._last.get(person, 0) > moment for person in people)
