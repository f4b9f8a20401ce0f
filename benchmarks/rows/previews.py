"""Row 4 besides: HEICs, and a camera's JPEGs of which few show pets."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.figures import Figure, in_turns, milliseconds, ratios
from benchmarks.photos import NoPhotos, camera_photos, phone_heics
from benchmarks.rows.sorting import measured_sort, timed_sort
from benchmarks.setting import Setting, catdog

_FOLDER_OF_OTHERS = "other"
_ONE_PET_IN = 20


def measure_heic(setting: Setting) -> list[Figure]:
    """Sort a phone's photos of 12 megapixels, which take long to decode."""
    inbox = setting.work / "heic"
    number = setting.sizes.heic_photos
    phone_heics(setting.photos, number, inbox)
    figures = [_faster(setting, inbox, f"the same of {number} HEICs")]
    shutil.rmtree(inbox)
    return figures


def measure_few_pets(setting: Setting) -> list[Figure]:
    """Sort a camera's photos of which one in 20 shows a pet. Raises NoPhotos."""
    inbox = setting.work / "few-pets"
    number = setting.sizes.few_pets_photos
    camera_photos(few_pets(setting.photos), number, inbox)
    what = f"the same of {number} JPEGs with one pet in {_ONE_PET_IN}"
    figures = [_faster(setting, inbox, what)]
    if sys.platform == "linux":
        figures.append(_less_read(setting, inbox, f"{what}: bytes read"))
    shutil.rmtree(inbox)
    return figures


def few_pets(photos: Sequence[Path]) -> list[Path]:
    """Take one photo of a pet for every 19 others, as many as there are. Raises NoPhotos."""
    others = [photo for photo in photos if photo.parent.name == _FOLDER_OF_OTHERS]
    pets = [photo for photo in photos if photo.parent.name != _FOLDER_OF_OTHERS]
    found = []
    for number, pet in enumerate(pets):
        share = others[number * (_ONE_PET_IN - 1) :][: _ONE_PET_IN - 1]
        if not share:
            break
        found += [pet, *share]
    if not found:
        raise NoPhotos(f"It takes photos in cats/ or dogs/ and in {_FOLDER_OF_OTHERS}/.")
    return found


def _faster(setting: Setting, inbox: Path, what: str) -> Figure:
    times = in_turns(
        {
            "decoded": timed_sort(setting, inbox, "--previews", "off"),
            "previews": timed_sort(setting, inbox, "--previews", "auto"),
        },
        setting.sizes.rounds,
    )
    return Figure(
        4,
        what,
        ratios(times["decoded"], times["previews"]),
        note=f"{milliseconds(times['decoded'])} against {milliseconds(times['previews'])}",
    )


def _less_read(setting: Setting, inbox: Path, what: str) -> Figure:
    """Compare what both ways read, which is what a network folder's photos wait for."""
    number = len(list(inbox.iterdir()))
    alone = setting.work / "empty"
    alone.mkdir()

    def read(previews: str) -> float:
        options = ("--previews", previews)
        start = setting.bytes_read_by(catdog("sort", alone, *options)) / number
        return measured_sort(setting.bytes_read_by, setting, inbox, *options)() - start

    decoded, looked_at = read("off"), read("auto")
    alone.rmdir()
    return Figure(
        4,
        what,
        (decoded / looked_at,),
        note=f"{decoded / 1e6:.2f} MB against {looked_at / 1e6:.2f} MB a photo, what starting "
        "reads left out",
    )
