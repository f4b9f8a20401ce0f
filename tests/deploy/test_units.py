"""What is handed out for service managers is well-formed, and starts commands that exist."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

from core.errors import ExitCode
from sorter.commands.watch import watch

DEPLOY = Path(__file__).resolve().parent.parent.parent / "deploy"
UNIT = DEPLOY / "systemd" / "catdog-watch@.service"
SANDBOX = DEPLOY / "systemd" / "sandbox.conf"
BOT = DEPLOY / "systemd" / "catdog-bot.service"
PLIST = DEPLOY / "launchd" / "catdog-watch.plist"
GUIDE = DEPLOY.parent / "docs" / "deploy.md"
ANSWERS_FOR = 20  # seconds, in which the bot answers what is waiting after SIGTERM
LISTS = {"Service.Environment", "Service.SystemCallFilter"}  # another line adds to the first


def settings(unit: Path) -> dict[str, str]:
    """Read `Section.Key` to value; of those keys that a unit has twice, all of their values."""
    found: dict[str, str] = {}
    section = ""
    for line in unit.read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            section = line.strip("[]")
        elif line and not line.startswith("#"):
            key, equals, value = line.partition("=")
            assert equals, line
            name = f"{section}.{key}"
            assert name in LISTS or name not in found
            found[name] = f"{found[name]} {value}" if name in found else value
    return found


def options_of(command: click.Command) -> set[str]:
    return {"--help", *(name for parameter in command.params for name in parameter.opts)}


def analyze(folder: Path, *arguments: str) -> tuple[str, int]:
    """Run systemd-analyze on the units of a folder; tell what it complains of, and its code."""
    (folder / "run").mkdir()
    run = subprocess.run(
        ["systemd-analyze", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            **os.environ,
            "XDG_RUNTIME_DIR": str(folder / "run"),
            "SYSTEMD_UNIT_PATH": f"{folder}:",
        },
        check=False,
    )
    return run.stderr, run.returncode


needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd is not here"
)


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


@needs_systemd
def test_systemd_understands_every_line(tmp_path: Path) -> None:
    """It only warns of what it does not know, so it must say nothing at all."""
    unit = UNIT.read_text(encoding="utf-8")
    unit = unit.replace("%h/.local/bin/catdog", sys.executable)  # must be there
    (tmp_path / UNIT.name).write_text(unit, encoding="utf-8")
    (tmp_path / f"{UNIT.name}.d").mkdir()
    shutil.copy(SANDBOX, tmp_path / f"{UNIT.name}.d")
    instance = r"./catdog-watch@home-ann-in\x2dbox.service"
    assert analyze(tmp_path, "--user", "verify", instance) == ("", 0)


def test_the_bots_unit_waits_for_word_and_starts_again() -> None:
    unit = settings(BOT)
    expected = {
        "Unit.After": "network-online.target",
        "Unit.StartLimitIntervalSec": "0",
        "Service.Type": "notify",
        "Service.NotifyAccess": "main",
        "Service.ExecStart": "/opt/catdog/.venv/bin/catdog bot",
        "Service.Restart": "on-failure",
        "Service.WatchdogSec": "2min",
        "Install.WantedBy": "multi-user.target",
    }
    assert {key: unit.get(key) for key in expected} == expected
    assert int(unit["Service.TimeoutStopSec"]) > ANSWERS_FOR
    final = (ExitCode.USAGE, ExitCode.MODEL, ExitCode.EXTRA_MISSING)
    codes = {f"{code:d}" for code in final}
    assert set(unit["Service.RestartPreventExitStatus"].split()) == {*codes, "CREDENTIALS"}


def test_the_bots_token_comes_from_systemd_and_its_state_goes_where_it_may_write() -> None:
    unit = settings(BOT)
    variables = dict(one.split("=", 1) for one in unit["Service.Environment"].split())
    credential, _, file = unit["Service.LoadCredential"].partition(":")
    assert variables["CATDOG_BOT_TOKEN_FILE"] == f"%d/{credential}"
    assert f"cat > {file}" in GUIDE.read_text(encoding="utf-8")
    assert variables["CATDOG_STATE_DIR"] == f"%S/{unit['Service.StateDirectory']}"
    assert "CATDOG_BOT_TOKEN" not in variables
    assert (unit["Service.DynamicUser"], unit["Service.ProtectSystem"]) == ("yes", "strict")


def test_the_bots_unit_closes_nothing_that_the_bot_needs() -> None:
    """Name look-ups, LiteRT's compiler and its look at the processor."""
    unit = settings(BOT)
    closed = {"MemoryDenyWriteExecute", "ProcSubset", "PrivateNetwork", "IPAddressDeny"}
    assert not {f"Service.{key}" for key in closed} & set(unit)
    families = unit["Service.RestrictAddressFamilies"].split()
    assert set(families) == {"AF_UNIX", "AF_INET", "AF_INET6"}


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """Put the bot's unit, with a program that is there and the guide's drop-ins, into a folder."""
    unit = BOT.read_text(encoding="utf-8").replace("/opt/catdog/.venv/bin/catdog", sys.executable)
    (tmp_path / BOT.name).write_text(unit, encoding="utf-8")
    drop_ins = tmp_path / f"{BOT.name}.d"
    drop_ins.mkdir()
    guide = GUIDE.read_text(encoding="utf-8").partition("## The bot on Linux")[2]
    found = re.findall(r"^    \[Service\]\n(?:    .+\n)+", guide, re.MULTILINE)
    assert len(found) == 3
    for number, drop_in in enumerate(found):
        (drop_ins / f"{number}.conf").write_text(textwrap.dedent(drop_in), encoding="utf-8")
    return tmp_path


@needs_systemd
def test_systemd_understands_every_line_of_the_bots_unit(installed: Path) -> None:
    """And of the drop-ins that the guide tells to make."""
    assert analyze(installed, "verify", f"./{BOT.name}") == ("", 0)


@needs_systemd
def test_the_bots_unit_is_as_closed_as_the_guide_says(installed: Path) -> None:
    (told,) = re.findall(r"rates it ([0-9.]+) of 10", " ".join(GUIDE.read_text().split()))
    threshold = f"--threshold={float(told) * 10:.0f}"
    unit = f"./{BOT.name}"
    problems, code = analyze(installed, "security", "--offline=yes", threshold, unit)
    assert (problems, code) == ("", 0)


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
