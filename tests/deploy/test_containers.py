"""The image's file, what goes into the image, and the Compose file fit each other and catdog."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import sys
import textwrap
import threading
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path, PurePath, PurePosixPath
from typing import Any

import click
import pytest
import yaml

from catdog import main
from core.model.head import HEAD
from core.model.manifest import MANIFEST
from core.model.network import NETWORK_KERAS, NETWORK_LITERT
from core.model.registry import DEFAULT_MODEL, OWN_NETWORK

ROOT = Path(__file__).resolve().parent.parent.parent
GUIDE = ROOT / "docs" / "deploy.md"
HOME_OF_IMAGE = "/opt/catdog"
MAX_BYTES = 300_000_000


@dataclass(frozen=True, slots=True)
class Step:
    """One instruction of a Dockerfile."""

    word: str
    rest: str

    @property
    def arguments(self) -> list[str]:
        """Read the exec form, the one that starts no shell."""
        found = json.loads(self.rest[self.rest.index("[") :])
        assert all(isinstance(one, str) for one in found)
        return list(found)


def stages() -> list[list[Step]]:
    """Read the Dockerfile, each stage from its FROM on."""
    found: list[list[Step]] = []
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    code = "\n".join(line for line in text.splitlines() if not line.startswith("#"))
    for line in code.replace("\\\n", " ").splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            if word == "FROM":
                found.append([])
            found[-1].append(Step(word, " ".join(rest.split())))
    return found


def only(stage: list[Step], word: str) -> Step:
    (step,) = [step for step in stage if step.word == word]
    return step


def environment_of(stage: list[Step]) -> dict[str, str]:
    return dict(one.split("=", 1) for one in only(stage, "ENV").rest.split())


def goes_in(path: PurePath) -> bool:
    """Tell whether .dockerignore lets a file into a build; as in Docker, the last pattern wins."""
    let = True
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            rule = re.escape(line.lstrip("!").rstrip("/")).replace(r"\*\*/", "(?:.*/)?")
            rule = rule.replace(r"\*", "[^/]*").replace(r"\[", "[").replace(r"\]", "]")
            if re.fullmatch(f"{rule}(?:/.*)?", path.as_posix()):
                let = line.startswith("!")
    return let


def let_through() -> Iterator[Path]:
    """Name the files that go into a build."""
    for folder, folders, files in os.walk(ROOT):
        folders[:] = [one for one in folders if not one.startswith(".")]  # .git, .venv: large
        for name in files:
            path = (Path(folder) / name).relative_to(ROOT)
            if goes_in(path):
                yield path


def compose() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def seconds(duration: str) -> int:
    return int(duration.removesuffix("s"))


# --- the image ---


def test_the_image_starts_catdog_as_nobody_in_particular_and_without_a_shell() -> None:
    """A shell would keep SIGTERM for itself."""
    image = stages()[-1]
    assert only(image, "ENTRYPOINT").arguments == ["catdog"]
    (command,) = only(image, "CMD").arguments
    assert command in main.list_commands(click.Context(main))
    user, group = only(image, "USER").rest.split(":")
    assert int(user) > 0
    assert int(group) > 0


def test_the_image_is_made_of_one_version_of_python_that_is_tested() -> None:
    build, image = (only(stage, "FROM").rest.split()[0] for stage in stages())
    assert build == image
    (version,) = re.findall(r"^python:([0-9.]+)-slim-", image)
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    assert version in workflow["jobs"]["test"]["strategy"]["matrix"]["python"]


def test_the_image_writes_only_into_its_volume() -> None:
    image = stages()[-1]
    (volume,) = only(image, "VOLUME").arguments
    environment = environment_of(image)
    assert environment["CATDOG_STATE_DIR"] == volume
    assert f"install -d -m 1777 {volume}" in only(image, "RUN").rest  # for any user
    assert environment["HOME"] == "/tmp"
    assert environment["PYTHONDONTWRITEBYTECODE"] == "1"


def test_the_build_gets_all_of_the_package_and_nothing_else() -> None:
    """No tokens, no photos, and not the model that only training reads."""
    found = {path.as_posix() for path in let_through()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    package = set(project["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"])
    about = project["project"]
    described = {"pyproject.toml", about["readme"], *about["license-files"]}
    assert {path.partition("/")[0] for path in found} == package | described
    model = DEFAULT_MODEL.relative_to(ROOT).as_posix()
    network = f"{model}/{OWN_NETWORK}"
    served = {f"{model}/{MANIFEST}", f"{model}/{HEAD}", f"{network}/{NETWORK_LITERT}"}
    assert served <= found
    assert f"{network}/{NETWORK_KERAS}" not in found
    private = [".env", ".git/config", "secrets/bot-token", "inbox/tom.jpg", "tom.jpg"]
    stale = ["core/__pycache__/image.cpython-313.pyc", "core/training/__pycache__/run.pyc"]
    assert not [path for path in private + stale if goes_in(PurePosixPath(path))]


@pytest.fixture
def health() -> Iterator[Callable[[int], int]]:
    """Serve /health with the status asked for; gives the port."""
    servers = []

    def serve(status: int) -> int:
        class Health(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(status if self.path == "/health" else 404)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = http.server.HTTPServer(("127.0.0.1", 0), Health)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return server.server_port

    yield serve
    for server in servers:
        server.shutdown()
        server.server_close()


def healthy(port: int | str | None) -> bool:
    """Run the image's health check, with a proxy in the way as Docker's client may put it."""
    python, *arguments = only(stages()[-1], "HEALTHCHECK").arguments
    assert python == "python"
    environment = {"http_proxy": "http://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    if port is not None:
        environment["CATDOG_BOT_HEALTH_PORT"] = str(port)
    run = subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        check=False,
    )
    return run.returncode == 0


def test_the_health_check_says_what_the_bot_says(health: Callable[[int], int]) -> None:
    assert healthy(health(200))
    assert not healthy(health(503))
    assert not healthy(9)  # nobody is there


@pytest.mark.parametrize("port", [None, ""])
def test_the_health_check_lets_watch_be(port: str | None) -> None:
    """It has no port to ask."""
    assert healthy(port)


# --- Compose ---


@pytest.mark.parametrize("name", ["bot", "sorter"])
def test_a_service_may_do_little_and_not_fill_the_disk(name: str) -> None:
    service = compose()["services"][name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["tmpfs"] == "/tmp"
    assert {"mem_limit", "pids_limit"} <= set(service)
    assert service["restart"] == "unless-stopped"
    assert {"max-size", "max-file"} <= set(service["logging"]["options"])
    assert not {"privileged", "cap_add", "devices", "pid", "ipc", "ports"} & set(service)


@pytest.mark.parametrize("name", ["bot", "sorter"])
def test_a_services_image_is_built_here(name: str) -> None:
    """With a name it would be looked for on Docker Hub, where it is anybody's."""
    service = compose()["services"][name]
    assert service["build"] == "."
    assert "image" not in service


@pytest.mark.parametrize("name", ["bot", "sorter"])
def test_a_service_runs_a_command_that_is_there_and_keeps_its_state(name: str) -> None:
    service = compose()["services"][name]
    command, *arguments = service["command"]
    found = main.get_command(click.Context(main), command)
    assert found is not None
    with found.make_context(command, arguments):
        pass  # it takes the arguments
    state = environment_of(stages()[-1])["CATDOG_STATE_DIR"]
    volumes = [one for one in service["volumes"] if isinstance(one, str)]
    assert volumes == [f"{name}-state:{state}"]
    assert f"{name}-state" in compose()["volumes"]


def test_the_bots_token_is_a_file_that_gets_into_no_image_and_no_commit() -> None:
    bot = compose()["services"]["bot"]
    (secret,) = bot["secrets"]
    assert bot["environment"]["CATDOG_BOT_TOKEN_FILE"] == f"/run/secrets/{secret}"
    assert "CATDOG_BOT_TOKEN" not in bot["environment"]
    file = PurePosixPath(compose()["secrets"][secret]["file"])
    assert f"cat > {file}" in GUIDE.read_text(encoding="utf-8")
    assert not goes_in(file)
    assert f"/{file.parent}/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()


def test_the_bot_is_looked_after_and_has_the_time_it_takes_to_stop() -> None:
    bot = compose()["services"]["bot"]
    assert bot["environment"]["CATDOG_BOT_HEALTH_PORT"].isdecimal()
    assert "healthcheck" not in bot  # the image's
    assert seconds(bot["stop_grace_period"]) > 20


def test_the_sorters_inbox_and_destination_are_one_mount_of_a_person() -> None:
    """From one mount to another a file cannot be renamed."""
    sorter = compose()["services"]["sorter"]
    (mount,) = [one for one in sorter["volumes"] if not isinstance(one, str)]
    _, inbox, into, destination = sorter["command"]
    assert into == "--into"
    assert PurePosixPath(inbox).is_relative_to(mount["target"])
    assert PurePosixPath(destination).is_relative_to(mount["target"])
    assert mount["type"] == "bind"
    assert mount["bind"] == {"create_host_path": False}
    assert re.fullmatch(r"\$\{\w+:-[1-9]\d*:[1-9]\d*\}", sorter["user"])
    assert sorter["network_mode"] == "none"


def test_the_sorters_health_is_asked_of_status() -> None:
    sorter = compose()["services"]["sorter"]
    how, program, command, folder = sorter["healthcheck"]["test"]
    assert (how, program) == ("CMD", "catdog")
    assert command in main.list_commands(click.Context(main))
    assert folder == sorter["command"][1]


def overrides() -> list[str]:
    """Read the guide's examples of compose.override.yaml."""
    guide = GUIDE.read_text(encoding="utf-8")
    found = re.findall(r"^    services:\n(?:    .+\n)+", guide, re.MULTILINE)
    return [textwrap.dedent(one) for one in found]


def test_the_guides_overrides_are_for_services_that_are_there() -> None:
    assert len(overrides()) == 2
    for override in map(yaml.safe_load, overrides()):
        assert set(override) == {"services"}
        assert set(override["services"]) <= set(compose()["services"])


@pytest.mark.skipif(find_spec("check_jsonschema") is None, reason="check-jsonschema is not here")
def test_compose_files_fit_the_specification(tmp_path: Path) -> None:
    files = [ROOT / "compose.yaml"]
    for number, override in enumerate(overrides()):
        files.append(tmp_path / f"{number}.yaml")
        files[-1].write_text(override, encoding="utf-8")
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    checked = subprocess.run([*check, *files], capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not here")
def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    found = subprocess.run(
        ["hadolint", "--no-color", ROOT / "Dockerfile"], capture_output=True, text=True, check=False
    )
    assert (found.stdout, found.returncode) == ("", 0)


# --- the steps of the build ---


@dataclass(frozen=True, slots=True)
class Built:
    """What the build's steps have made, in place of an image."""

    home: Path
    environment: dict[str, str]

    def run(self, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.home / "bin" / arguments[0], *arguments[1:]],
            env=self.environment,
            cwd=cwd,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Run the build's steps as they stand in the Dockerfile, in folders of their own."""
    folder = tmp_path_factory.mktemp("image")
    sources, tools, home = folder / "src", folder / "tools", folder / "catdog"
    for path in let_through():
        (sources / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, sources / path)
    tools.mkdir()
    for name, module in {"python": "", "pip": "-m pip"}.items():
        tool = tools / name
        tool.write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n', encoding="utf-8")
        tool.chmod(0o755)
    apart = ("PYTHON", "COV", "CATDOG_")
    bare = {name: value for name, value in os.environ.items() if not name.startswith(apart)}
    build, image = stages()
    subprocess.run(
        ["sh", "-ec", only(build, "RUN").rest.replace(HOME_OF_IMAGE, str(home))],
        cwd=sources,
        env={**bare, "PATH": f"{tools}{os.pathsep}{bare['PATH']}"},
        check=True,
    )
    assert only(image, "COPY").rest == f"--from=build {HOME_OF_IMAGE} {HOME_OF_IMAGE}"
    places = {HOME_OF_IMAGE: str(home), "$PATH": bare["PATH"]}
    for name in ("/state", "/models", "/tmp"):
        places[name] = str(folder / name[1:])
    environment = environment_of(image)
    for place in places.items():
        environment = {name: value.replace(*place) for name, value in environment.items()}
    return Built(home, {**bare, **environment})


def files_of(folder: Path) -> dict[Path, int]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return {path.relative_to(folder): path.stat().st_size for path in files}


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the steps are for a shell")
def test_what_the_build_makes_is_small_and_whole(built: Built) -> None:
    """No TensorFlow, no model for training, and bytecode for all of it."""
    files = files_of(built.home)
    assert sum(files.values()) < MAX_BYTES
    names = {path.as_posix() for path in files}
    (packages,) = built.home.glob("lib/python*/site-packages")
    present = {path.name.lower() for path in packages.iterdir()}
    assert not present & {"tensorflow", "keras", "sklearn", "scipy", "pip", "pytest"}
    assert not [name for name in names if name.endswith(NETWORK_KERAS)]
    ours = [path for path in files if path.suffix == ".py" and "core" in path.parts]
    assert ours
    for path in ours:
        cached = list((built.home / path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"))
        assert [one.read_bytes()[4] for one in cached] == [1], path  # holds a hash, not a time


@pytest.mark.long
@pytest.mark.skipif(os.name == "nt", reason="the steps are for a shell")
def test_what_the_build_makes_predicts_and_leaves_itself_alone(
    built: Built, tmp_path: Path, draw: Callable[..., Any]
) -> None:
    """Whatever runs in a container has a root that is read-only."""
    from pillow_heif import register_heif_opener

    before = files_of(built.home)
    register_heif_opener()
    for name in ("photo.jpg", "photo.heic", "photo.webp"):
        draw("cats", 1, (640, 480)).save(tmp_path / name)
    helped = built.run("catdog", "--help", cwd=tmp_path)
    assert "predict" in helped.stdout
    shown = built.run("catdog", "predict", "--json", ".", cwd=tmp_path)
    answers = [json.loads(line) for line in shown.stdout.splitlines()]
    assert (len(answers), shown.returncode) == (3, 0), shown.stderr
    manifest = json.loads((DEFAULT_MODEL / MANIFEST).read_text(encoding="utf-8"))
    assert {answer["model"] for answer in answers} == {manifest["version"]}
    started = built.run("catdog", "bot", cwd=tmp_path)
    assert "CATDOG_BOT_TOKEN" in started.stderr
    assert started.returncode == 2
    assert files_of(built.home) == before
