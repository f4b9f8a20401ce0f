"""Decisions in words, the same on the terminal and in the chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.labels import Role

if TYPE_CHECKING:  # not for who wants a percentage alone: a manifest loads NumPy
    from core.manifest import Manifest
    from core.prediction import Decision


def describe(decision: Decision, manifest: Manifest) -> str:
    """Say a decision: "cat, 98 %", "not sure, perhaps dog (61 %)", "neither cat nor dog (97 %)"."""
    prediction = decision.prediction
    seen = manifest.class_of(prediction.label)

    def word(words: dict[str, str]) -> str:
        return words["en"]

    sure = percent(prediction.confidence)
    if seen.role is Role.NEITHER:
        kinds = [word(c.words) for c in manifest.classes if c.role is Role.FILE]
        words = f"neither {' nor '.join(kinds)} ({sure})"
        return words if decision.is_sure else f"not sure, perhaps {words}"
    if decision.is_sure:
        return f"{word(seen.words)}, {sure}"
    return f"not sure, perhaps {word(seen.words)} ({sure})"


def percent(confidence: float) -> str:
    """Write a confidence, 0 to 1, rounded down."""
    return f"{min(99, int(confidence * 100))} %"  # 100 % would be a promise
