"""The benchmarks as they are run: rows by name, a page of results, and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.measuring.figures import Figure, KnownMiss, at_least, at_most
from benchmarks.measuring.photos import NoPhotos
from benchmarks.measuring.results import machine, page
from benchmarks.measuring.setting import Setting

ROOT = Path(__file__).resolve().parents[2]


def test_a_row_is_measured_and_written_down(
    tmp_path: Path, fill_folder: Callable[..., Path]
) -> None:
    """It ends with 1 if it falls short."""
    photos, file = fill_folder(tmp_path / "photos", {"cats": 1}), tmp_path / "RESULTS.md"
    arguments = ["--photos", str(photos), "--rows", "model-size", "--write", str(file)]
    code = run.main(arguments)
    model = ROOT / "models" / "default"
    served = (model / "network" / "network.tflite", model / "head.npz")
    size = sum(file.stat().st_size for file in served)
    assert code == int(size > 6e6)
    text = file.read_text()
    assert f"| 11 | size of the model that serves | {size / 1e6:.3g} MB |" in text
    assert ("**no**" in text) == bool(code)
    for name, what in machine().items():
        assert f"- {name}: {what}" in text


@pytest.mark.keras
def test_every_row_has_its_measure() -> None:
    import pkgutil

    for place in run.ROWS.values():
        assert callable(pkgutil.resolve_name(f"benchmarks.rows.{place}"))


@pytest.mark.parametrize(("value", "code"), [(25.0, 0), (24.9, 0), (19.9, 1)])
def test_it_fails_where_a_figure_falls_below_its_line_and_is_not_known_to(
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: float,
    code: int,
) -> None:
    known = KnownMiss(at_least(20), "it is large")
    figure = Figure(2, "warm", (value,), line=at_least(25), known_miss=known)
    settings: list[Setting] = []

    def measure(name: str, setting: Setting) -> list[Figure]:
        settings.append(setting)
        return [figure]

    monkeypatch.setattr(run, "measure", measure)
    photos = fill_folder(tmp_path / "photos", {"cats": 1})
    assert run.main(["--photos", str(photos), "--rows", "warm"]) == code
    out = capsys.readouterr().out
    assert ("falls short, at least 25" in out) == (value < 25)
    assert ("as is known" in out) == (20 <= value < 25)
    assert settings[0].sizes.rounds == 5
    assert not settings[0].work.exists()


def test_a_row_without_photos_is_named_and_fails(
    tmp_path: Path, fill_folder: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(name: str, setting: Setting) -> list[Figure]:
        raise NoPhotos("Give some.")

    monkeypatch.setattr(run, "measure", measure)
    photos, file = fill_folder(tmp_path / "photos", {"cats": 1}), tmp_path / "RESULTS.md"
    assert run.main(["--photos", str(photos), "--rows", "warm", "--write", str(file)]) == 1
    assert "Not measured: warm. Give some." in file.read_text()


def test_a_folder_without_photos_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="--photos"):
        run.main(["--photos", str(tmp_path)])


def test_the_page_has_the_spread_what_falls_short_and_what_is_known() -> None:
    known = KnownMiss(at_least(20), "it is large.")
    figures = [
        Figure(2, "warm", (30.0, 20.0, 26.0), line=at_least(25), note="4 ms"),
        Figure(8, "growth", (12.345,), "%", at_most(10)),
        Figure(7, "half are answered in", (0.5,), "s"),
        Figure(5, "small", (21.0,), line=at_least(25), known_miss=known),
    ]
    lines = page(figures, "make bench", []).splitlines()
    assert "| 2 | warm | 26 times | 20 to 30 | at least 25 | yes | 4 ms |" in lines
    assert "| 8 | growth | 12.3 % |  | at most 10 | **no** |  |" in lines
    assert "| 7 | half are answered in | 0.5 s |  |  |  |  |" in lines
    assert "| 5 | small | 21 times |  | at least 25 | known |  |" in lines
    assert "Known not to hold in row 5 (at least 20 meanwhile): it is large." in lines
