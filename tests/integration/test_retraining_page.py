"""docs/retraining.md, walked through by its own commands."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from catdog import main
from core.model.promotion import promote
from core.store.database import Store
from core.store.feedback_table import Feedback, Source, record

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "retraining.md"


@pytest.mark.long
def test_every_command_does_what_the_page_says(
    tmp_path: Path, head_models_dir: Path, fill_folder: Callable[..., Path],
    draw: Callable[..., Any], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    models, state = (Path(os.environ[name]) for name in ("CATDOG_MODELS_DIR", "CATDOG_STATE_DIR"))
    shutil.copytree(head_models_dir / "tiny", models / "mine")
    promote(models, "mine")
    fill_folder(tmp_path / "labelled", {"cats": 60, "dogs": 60, "other": 60}, 4000)
    before = {path: path.read_bytes() for path in tmp_path.glob("labelled/*/*")}
    draw("dogs", 9000).save(tmp_path / "rex.png")
    with closing(Store(state)) as store:
        content = (tmp_path / "rex.png").read_bytes()
        sha256 = hashlib.sha256(content).hexdigest()
        record(store, Feedback(Source.BOT, sha256, "dog", path=tmp_path / "rex.png"))
    monkeypatch.chdir(tmp_path)

    blocks = re.findall(r"```sh\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    said = {}
    for command in "".join(blocks).splitlines():
        program, *arguments = shlex.split(command, comments=True)
        if program == "pip":
            continue
        assert program == "catdog"
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 0, f"{command}: {result.output}"
        said[" ".join([program, *arguments])] = result.stdout
    assert list(said) == [
        "catdog train labelled --check",
        "catdog train labelled",
        "catdog models list",
        "catdog models rollback",
        "catdog feedback list",
        "catdog train labelled --with-feedback",
        "catdog train --list-networks",
        "catdog train labelled --network minimal",
    ]
    assert "Nothing was kept." in said["catdog train labelled --check"]
    assert "serves now, in the place of mine" in said["catdog train labelled"]
    assert "* 20" in said["catdog models list"]
    assert "mine serves again" in said["catdog models rollback"]
    assert "dog" in said["catdog feedback list"]
    assert "1 photos that people labelled" in said["catdog train labelled --with-feedback"]
    assert "minimal: " in said["catdog train --list-networks"]
    assert (
        "or everywhere with `catdog models promote"
        in said["catdog train labelled --network minimal"]
    )
    assert {path: path.read_bytes() for path in tmp_path.glob("labelled/*/*")} == before
