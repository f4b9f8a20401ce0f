"""What the page is told, as JSON: of a photo, of all that changed, and of the review as a whole."""

from __future__ import annotations

import os
from typing import Any

from core.errors import install_command
from core.labels import Role
from core.model.manifest import Manifest
from core.model.wording import percent
from core.paths import display
from sorter.review.page.words import class_word, words_in
from sorter.review.photos import Photo, State
from sorter.review.session import Review

_LETTERS = {"cat": "c", "dog": "d"}
_SIDE_MARKS = {Role.NEITHER: "n", Role.BOTH: "b"}


def page_values(review: Review, language: str) -> dict[str, Any]:
    """Return what the template is filled in with."""
    manifest = review.classifier.manifest
    words = words_in(language)
    return {
        "language": language,
        "words": words,
        "folder": display(review.selection.inbox.folder),
        "setup": {
            "words": words,
            "classes": [
                {
                    "label": one.label,
                    "word": class_word(one, language),
                    "folder": one.folder,
                    "role": one.role.value,
                    "key": key,
                }
                for one, key in zip(manifest.classes, keys_of(manifest), strict=True)
            ],
            "what": review.selection.what.value,
            "can_learn": review.can_learn,
            "install": install_command("train"),
        },
    }


def keys_of(manifest: Manifest) -> list[str]:
    """Return the key of each class: C, D, N and B, and digits for a model's own."""
    digits = iter("123456789")
    keys = []
    for one in manifest.classes:
        mark = _SIDE_MARKS.get(one.role) or _LETTERS.get(one.label)
        keys.append(mark or next(digits, ""))
    return keys


def photo_view(photo: Photo, manifest: Manifest, language: str) -> dict[str, Any]:
    """Return a photo as the page has it. Names that are not UTF-8 have marks in their place."""
    view: dict[str, Any] = {
        "id": photo.id,
        "name": _readable(os.fsencode(photo.path.name)),
        "state": photo.state.value,
        "label": photo.label,
        "message": photo.message,
        "group": photo.group,
        "version": str(photo.mtime_ns),
        "stands_in": _readable(os.fsencode(photo.stands_at.parent.name))
        if photo.stands_at
        else None,
        "same_as": _readable(os.fsencode(photo.stands_at))
        if photo.stands_at and photo.state is State.WAITING
        else None,
    }
    if photo.verdict is not None:
        prediction = photo.verdict.prediction
        view |= {
            "guess": prediction.label,
            "guess_word": class_word(manifest.class_of(prediction.label), language),
            "confidence": round(prediction.confidence, 4),
            "percent": percent(prediction.confidence),
            "probabilities": {
                label: round(one, 4) for label, one in prediction.probabilities.items()
            },
        }
    return view


def state_view(review: Review, since: int, language: str) -> dict[str, Any]:
    """Return what changed after a version of the list."""
    version, changed = review.photos.changed_since(since)
    manifest = review.classifier.manifest
    progress, learning, summary = review.photos.progress, review.learning, review.summary()
    return {
        "version": version,
        "photos": [photo_view(photo, manifest, language) for photo in changed],
        "progress": {"read": progress.read, "of": progress.of, "done": progress.is_done},
        "summary": {
            "answers": summary.answers,
            "guesses": summary.guesses,
            "right": summary.right,
            "threshold": None if summary.threshold is None else percent(summary.threshold),
            "filed": summary.filed,
            "wrong": summary.wrong,
        },
        "learning": {
            "running": learning.is_running,
            "lines": list(learning.lines),
            "exit_code": learning.exit_code,
            "filed": learning.filed,
            "before": learning.waiting_before,
            "after": learning.waiting_after,
            "version": manifest.version,
        },
    }


def _readable(name: bytes) -> str:
    return name.decode("utf-8", "replace")
