"""Every variable that docs and units name is one that catdog reads."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from catdog import main

ROOT = Path(__file__).resolve().parent.parent.parent
SECRETS = {"CATDOG_BOT_TOKEN", "CATDOG_BOT_WEBHOOK_SECRET"}  # no option shows a secret in `ps`
TEXTS = [
    ROOT / "Dockerfile",
    ROOT / "compose.yaml",
    ROOT / "docs" / "deploy.md",
    ROOT / ".env.example",
    *sorted((ROOT / "deploy" / "systemd").iterdir()),
]


def variables_of(command: click.Command, prefix: str) -> Iterator[str]:
    """Name what a command and those below it read, as click makes it of their options."""
    for parameter in command.params:
        if isinstance(parameter.envvar, str):
            yield parameter.envvar
        elif parameter.envvar:
            yield from parameter.envvar
        elif isinstance(parameter, click.Option) and parameter.allow_from_autoenv:
            yield f"{prefix}_{str(parameter.name).upper()}"
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            assert below is not None
            yield from variables_of(below, f"{prefix}_{name.upper().replace('-', '_')}")


@pytest.mark.parametrize("text", TEXTS, ids=lambda path: path.name)
def test_variables_that_are_named_exist(text: Path) -> None:
    known = {*variables_of(main, "CATDOG"), *SECRETS, *(f"{one}_FILE" for one in SECRETS)}
    assert (
        set(re.findall(r"\bCATDOG_[A-Z][A-Z_]*[A-Z]\b", text.read_text("utf-8"))) - known == set()
    )
