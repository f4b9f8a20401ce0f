"""What tests of commands share: running one, and reading what it printed."""

from __future__ import annotations

import json
from typing import Any

from click.testing import CliRunner, Result

from catdog import main


def run(*arguments: object, **environment: str) -> Result:
    return CliRunner().invoke(main, [str(one) for one in arguments], env=environment)


def objects(result: Result) -> list[dict[str, Any]]:
    """Return what `--json` printed, an object a line."""
    return [json.loads(line) for line in result.stdout.splitlines()]
