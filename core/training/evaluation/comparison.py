"""What came of holding a new model against the current one."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at, in a sentence, and whether it speaks for the new model."""

    speaks_for: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Filed:
    """What two models file of the same photos: the current one, then the new one."""

    name: str  # of the photos
    should: int  # photos that should be filed
    rightly: tuple[int, int]  # of those
    photos: int
    wrongly: tuple[int, int]  # of all


@dataclass(frozen=True, slots=True)
class Comparison:
    """A new model beside the current one, on photos from which neither learnt."""

    current: str  # version
    findings: tuple[Finding, ...]
    filed: tuple[Filed, ...] = ()
    other_classes: bool = False  # classes of the current model are gone: only a person may decide

    @property
    def is_no_worse(self) -> bool:
        return all(finding.speaks_for for finding in self.findings)
