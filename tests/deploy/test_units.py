"""What is handed out for service managers is well-formed, and starts commands that exist."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
from pathlib import Path

import click
import pytest

from sorter.daemon.cli import watch

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
UNIT = DEPLOY / "systemd" / "catdog-watch@.service"
SANDBOX = DEPLOY / "systemd" / "sandbox.conf"
PLIST = DEPLOY / "launchd" / "catdog-watch.plist"
GUIDE = DEPLOY.parent / "docs" / "deploy.md"


def settings(unit: Path) -> dict[str, str]:
    """Read `Section.Key` to value; a unit may have a key twice, these have none."""
    found: dict[str, str] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            assert f"{section}.{key}" not in found
            found[f"{section}.{key}"] = value
    return found


def options_of(command: click.Command) -> set[str]:
    return {"--help", *(name for parameter in command.params for name in parameter.opts)}


def test_the_unit_waits_for_word_and_starts_again() -> None:
    unit = settings(UNIT)
    expected = {
        "Service.Type": "notify",
        "Service.NotifyAccess": "main",
        "Service.Restart": "on-failure",
        "Service.WatchdogSec": "3min",
        "Service.NoNewPrivileges": "yes",
        "Service.RestrictAddressFamilies": "AF_UNIX",
        "Install.WantedBy": "default.target",
    }
    assert {key: unit.get(key) for key in expected} == expected


def test_the_unit_starts_watch_with_the_path_of_its_instance() -> None:
    """%I would lack the first slash."""
    assert settings(UNIT)["Service.ExecStart"] == ":%h/.local/bin/catdog watch %f"


def test_the_unit_has_nothing_that_a_users_manager_cannot_do() -> None:
    """Without a name space of its own these do nothing there, or keep the service from starting."""
    mounts = re.compile(r"Protect|Private|ReadWritePaths|CapabilityBoundingSet|StateDirectory")
    assert not [key for key in settings(UNIT) if mounts.search(key)]
    assert "Service.MemoryDenyWriteExecute" not in settings(UNIT) | settings(SANDBOX)


def test_the_sandbox_lets_photos_and_the_journal_be_written() -> None:
    sandbox = settings(SANDBOX)
    state = sandbox["Service.Environment"].removeprefix("CATDOG_STATE_DIR=")
    assert sandbox["Service.ReadWritePaths"] == f"%f -{state}"
    assert sandbox["Service.PrivateUsers"] == "yes"


@pytest.mark.parametrize("text", [UNIT, GUIDE], ids=lambda path: path.name)
def test_options_and_variables_that_are_named_exist(text: Path) -> None:
    """In comments and in the guide too: they are what people copy."""
    told = text.read_text(encoding="utf-8")
    commands = re.findall(r"catdog(?:\.exe)? watch( .*)", told)
    named = {word for command in commands for word in re.findall(r"--[a-z-]+", command)}
    assert named <= options_of(watch)
    variables = set(re.findall(r"CATDOG_WATCH_[A-Z_]+", told))
    known = {f"CATDOG_WATCH_{name[2:].upper().replace('-', '_')}" for name in options_of(watch)}
    assert variables
    assert variables <= known


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """It only warns of what it does not know, so it must say nothing at all."""
    unit = UNIT.read_text(encoding="utf-8")
    unit = unit.replace("%h/.local/bin/catdog", sys.executable)  # must be there
    (tmp_path / UNIT.name).write_text(unit, encoding="utf-8")
    (tmp_path / f"{UNIT.name}.d").mkdir()
    shutil.copy(SANDBOX, tmp_path / f"{UNIT.name}.d")
    (tmp_path / "run").mkdir()
    verified = subprocess.run(
        ["systemd-analyze", "--user", "verify", r"./catdog-watch@home-ann-in\x2dbox.service"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={
            **os.environ,
            "XDG_RUNTIME_DIR": str(tmp_path / "run"),
            "SYSTEMD_UNIT_PATH": f"{tmp_path}:",
        },
        check=False,
    )
    assert (verified.stderr, verified.returncode) == ("", 0)


def test_the_property_list_runs_watch_in_the_background() -> None:
    plist = plistlib.loads(PLIST.read_bytes())
    assert plist["Label"] == PLIST.stem  # launchd expects the two to be the same
    program, command, inbox, *options = plist["ProgramArguments"]
    assert (Path(program).name, command, Path(inbox).name) == ("catdog", "watch", "inbox")
    assert set(options) <= options_of(watch)
    assert plist["RunAtLoad"] is True
    assert plist["KeepAlive"] == {"SuccessfulExit": False}
    assert plist["ProcessType"] == "Background"
    assert plist["LowPriorityIO"] is True


def test_the_property_list_says_what_to_edit() -> None:
    """Every path in it is one of a person whose name is not known."""
    paths = re.findall(r"<string>(/.*)</string>", PLIST.read_text(encoding="utf-8"))
    assert len(paths) == 4
    assert all(path.startswith("/Users/YOU/") for path in paths)
