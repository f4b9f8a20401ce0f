"""Errors go from one process to another."""

from __future__ import annotations

import pickle
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from core.errors import CatdogError, UnreadableCode, UnreadableImage


def _kinds(kind: type[CatdogError] = CatdogError) -> Iterator[type[CatdogError]]:
    yield kind
    for below in kind.__subclasses__():
        yield from _kinds(below)


def test_every_kind_of_error_survives_pickle() -> None:
    for file in (file for part in ("bot", "core", "sorter") for file in Path(part).rglob("*.py")):
        if re.search(r"^class \w+\((CatdogError|\w+Refused)\)", file.read_text(), re.MULTILINE):
            import_module(".".join(file.with_suffix("").parts))
    kinds = set(_kinds())
    assert len(kinds) >= 10
    for kind in kinds:
        again = pickle.loads(pickle.dumps(kind.__new__(kind, "one.jpg is broken.")))
        assert (type(again), str(again)) == (kind, "one.jpg is broken.")


@pytest.mark.parametrize("code", UnreadableCode)
def test_an_unreadable_image_keeps_its_code(code: UnreadableCode) -> None:
    again = pickle.loads(pickle.dumps(UnreadableImage(code, "one.jpg is broken.")))
    assert (again.code, str(again), again.exit_code) == (code, "one.jpg is broken.", 1)
