"""The benchmarks as they are run: rows by name, a page of results, and an exit code."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks import run
from benchmarks.figures import Figure, Line
from benchmarks.photos import NoPhotos
from benchmarks.results import machine, page
from benchmarks.setting import Setting

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


def test_every_row_has_its_measure() -> None:
    import pkgutil

    for place in run.ROWS.values():
        assert callable(pkgutil.resolve_name(f"benchmarks.{place}"))


@pytest.mark.parametrize(("value", "code"), [(25.0, 0), (24.9, 1)])
def test_it_fails_where_a_figure_falls_below_its_line(
    tmp_path: Path,
    fill_folder: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: float,
    code: int,
) -> None:
    figure = Figure(2, "warm", (value,), line=Line.AT_LEAST, limit=25)
    seen: list[Setting] = []

    def measure(name: str, setting: Setting) -> list[Figure]:
        seen.append(setting)
        return [figure]

    monkeypatch.setattr(run, "measure", measure)
    photos = fill_folder(tmp_path / "photos", {"cats": 1})
    assert run.main(["--photos", str(photos), "--rows", "warm", "--warm-photos", "3"]) == code
    assert ("falls short, at least 25" in capsys.readouterr().out) == bool(code)
    assert (seen[0].sizes.warm_photos, seen[0].sizes.rounds) == (3, 5)
    assert not seen[0].work.exists()


def test_a_row_without_photos_is_told_of_and_fails(
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


def test_the_page_has_the_spread_and_what_falls_short() -> None:
    figures = [
        Figure(2, "warm", (30.0, 20.0, 26.0), line=Line.AT_LEAST, limit=25, note="4 ms"),
        Figure(8, "growth", (12.345,), "%", Line.AT_MOST, 10),
        Figure(7, "half are answered in", (0.5,), "s"),
    ]
    lines = page(figures, "make bench", []).splitlines()
    assert "| 2 | warm | 26 times | 20 to 30 | at least 25 | yes | 4 ms |" in lines
    assert "| 8 | growth | 12.3 % |  | at most 10 | **no** |  |" in lines
    assert "| 7 | half are answered in | 0.5 s |  |  |  |  |" in lines
