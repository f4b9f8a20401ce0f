"""How long something takes, in words."""

from __future__ import annotations


def duration(seconds: float) -> str:
    """Write seconds, minutes or hours, as exactly as anybody wants to know."""
    if seconds < 99.5:
        return f"{max(1, round(seconds))} s"
    if seconds < 99.5 * 60:
        return f"{round(seconds / 60)} min"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if hours < 10 else f"{round(seconds / 3600)} h"
