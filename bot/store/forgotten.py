"""Who has had themselves forgotten since when: what was under way for them is not written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Moment:
    """When something began, among the requests to forget."""

    number: int


class Forgotten:
    """The requests to forget since the start; what was under way before it ended with it.

    Between asking this and giving the store its work, nothing may be awaited: the store does what
    it is given in order.
    """

    def __init__(self) -> None:
        self._count = 0
        self._last: dict[int, int] = {}

    def note(self, person: int) -> None:
        """Note that a person is forgotten: to be called as the store is given that work."""
        self._count += 1
        self._last[person] = self._count

    def now(self) -> Moment:
        """Give this moment."""
        return Moment(self._count)

    def since(self, moment: Moment, *people: int) -> bool:
        """Tell whether one of these people has been forgotten since."""
        return any(self._last.get(person, 0) > moment.number for person in people)
