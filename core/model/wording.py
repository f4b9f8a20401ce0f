"""Verdicts in words for the terminal, in English; the chat has its own, by language."""

from __future__ import annotations

from typing import TYPE_CHECKING

from core.labels import Role

if TYPE_CHECKING:  # a percentage needs no NumPy, which these load
    from core.model.manifest import Manifest
    from core.model.verdict import Verdict


def describe(verdict: Verdict, manifest: Manifest) -> str:
    """Return a verdict in words: "cat, 98 %", or "not sure, perhaps neither cat nor dog (61 %)"."""
    shown = verdict.likeliest
    sure = percent(verdict.prediction.confidence)
    kinds = [one.words["en"] for one in manifest.filed]
    if shown.role is Role.NEITHER:
        words = f"neither {' nor '.join(kinds)} ({sure})"
        return words if verdict.is_sure else f"not sure, perhaps {words}"
    if shown.role is Role.BOTH:
        words = f"more than one of {', '.join(kinds)}" if len(kinds) > 2 else " and ".join(kinds)
    else:
        words = shown.words["en"]
    return f"{words}, {sure}" if verdict.is_sure else f"not sure, perhaps {words} ({sure})"


def percent(confidence: float) -> str:
    """Write a confidence, 0 to 1, rounded down."""
    return f"{min(99, int(confidence * 100))} %"  # 100 % would be a promise
