"""The buttons under an answer, and the data that pressing one sends."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from bot.words import replies
from bot.words.catalogue import Words
from core.model.manifest import Manifest

_MAX_DATA_BYTES = 64  # Telegram's, of what pressing a button sends
_MAX_BUTTONS = 100  # Telegram's, under one message
_IN_A_ROW = 3
CHOSEN = "✓ "


class Button(StrEnum):
    """What a button is for; its data begins with it."""

    LABEL = "l"  # l:<row>:<label>
    CONSENT = "c"  # c:<row>:<consent>


@dataclass(frozen=True, slots=True)
class Press:
    """A button that was pressed."""

    button: Button
    row: int
    choice: str


def read_press(text: str) -> Press | None:
    """Read a button's data; None if it is none of ours."""
    button, _, rest = text.partition(":")
    row, _, choice = rest.partition(":")
    if button not in list(Button) or not row.isdecimal() or len(row) > 18 or not choice:
        return None
    return Press(Button(button), int(row), choice)


def label_buttons(
    words: Words,
    manifest: Manifest,
    rows: Sequence[int | None],
    chosen: Mapping[int, str] | None = None,
    *,
    numbers: Sequence[int] | None = None,
) -> InlineKeyboardMarkup | None:
    """Make a button for each label of each photo; None if there is nothing to press.

    `rows` are those of an album's photos in order, or of one photo; None stands for a photo
    without a prediction. `chosen` gives the label that was pressed, by row. The buttons of an
    album's photos carry their numbers: `numbers`, or from 1 on.
    """
    if numbers is None and len(rows) > 1:
        numbers = range(1, len(rows) + 1)
    lines: list[list[InlineKeyboardButton]] = []
    for place, row in enumerate(rows):
        if row is None:
            continue
        prefix = f"{numbers[place]} " if numbers is not None else ""
        buttons = []
        for label in manifest.labels:
            data = f"{Button.LABEL}:{row}:{label}"
            if len(data.encode()) > _MAX_DATA_BYTES:
                continue
            mark = CHOSEN if (chosen or {}).get(row) == label else ""
            text = f"{mark}{prefix}{replies.button(words, manifest, label)}"
            buttons.append(InlineKeyboardButton(text, callback_data=data))
        lines += [buttons[start : start + _IN_A_ROW] for start in range(0, len(buttons), _IN_A_ROW)]
    if not lines or sum(map(len, lines)) > _MAX_BUTTONS:
        return None
    return InlineKeyboardMarkup(lines)


def consent_buttons(words: Words, row: int) -> InlineKeyboardMarkup:
    answers = (("answer", words.only_answer), ("photo", words.photo_too))
    return InlineKeyboardMarkup(
        [
            [
                InlineKeyboardButton(text, callback_data=f"{Button.CONSENT}:{row}:{choice}")
                for choice, text in answers
            ]
        ]
    )
