"""systemd and launchd understand what is handed out for them."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from click.testing import CliRunner

from catdog import main

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
WATCH = DEPLOY / "systemd" / "catdog-watch@.service"
SANDBOX = DEPLOY / "systemd" / "sandbox.conf"
BOT = DEPLOY / "systemd" / "catdog-bot.service"
PLIST = DEPLOY / "launchd" / "catdog-watch.plist"
GUIDE = DEPLOY.parent / "docs" / "deploy.md"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not here"
)


def analyze(folder: Path, *arguments: str) -> tuple[str, int]:
    """Run systemd-analyze on the units of a folder; returns its complaints and its code."""
    (folder / "run").mkdir()
    environment = {"XDG_RUNTIME_DIR": str(folder / "run"), "SYSTEMD_UNIT_PATH": f"{folder}:"}
    run = subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
        check=False,
    )
    return run.stderr, run.returncode


@needs_systemd
def test_systemd_understands_every_line_of_the_sorters_unit(tmp_path: Path) -> None:
    """It only warns of what it does not know, so it must say nothing at all."""
    unit = WATCH.read_text(encoding="utf-8")
    unit = unit.replace("%h/.local/bin/catdog", sys.executable)  # must be there
    (tmp_path / WATCH.name).write_text(unit, encoding="utf-8")
    (tmp_path / f"{WATCH.name}.d").mkdir()
    shutil.copy(SANDBOX, tmp_path / f"{WATCH.name}.d")
    instance = r"./catdog-watch@home-ann-in\x2dbox.service"
    assert analyze(tmp_path, "--user", "verify", instance) == ("", 0)


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Put the bot's unit, with a program that is there and the guide's drop-ins, into a folder."""
    unit = BOT.read_text(encoding="utf-8").replace("/opt/catdog/.venv/bin/catdog", sys.executable)
    (tmp_path / BOT.name).write_text(unit, encoding="utf-8")
    drop_ins = tmp_path / f"{BOT.name}.d"
    drop_ins.mkdir()
    guide = GUIDE.read_text(encoding="utf-8").partition("## The bot on Linux")[2]
    examples = re.findall(r"^    \[Service\]\n(?:    .+\n)+", guide, re.MULTILINE)
    assert len(examples) == 3
    for number, drop_in in enumerate(examples):
        (drop_ins / f"{number}.conf").write_text(textwrap.dedent(drop_in), encoding="utf-8")
    return tmp_path


@needs_systemd
def test_systemd_understands_every_line_of_the_bots_unit(installed: Path) -> None:
    """And of the drop-ins that the guide has one make."""
    assert analyze(installed, "verify", f"./{BOT.name}") == ("", 0)


@needs_systemd
def test_the_bots_unit_is_as_closed_as_the_guide_says(installed: Path) -> None:
    (rated,) = re.findall(r"rates it ([0-9.]+) of 10", " ".join(GUIDE.read_text().split()))
    threshold = f"--threshold={float(rated) * 10:.0f}"
    unit = f"./{BOT.name}"
    assert analyze(installed, "security", "--offline=yes", threshold, unit) == ("", 0)


def test_the_property_list_starts_a_command_that_click_understands() -> None:
    plist = plistlib.loads(PLIST.read_bytes())
    assert plist["Label"] == PLIST.stem  # launchd expects the two to be the same
    program, *arguments = plist["ProgramArguments"]
    assert Path(program).name == "catdog"
    refused = CliRunner().invoke(main, arguments)
    assert f"{arguments[1]} is not a folder" in refused.output
