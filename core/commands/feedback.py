"""The commands about the labels that people gave their photos."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from core.commands.options import Settings, json_option, option, pass_settings
from core.errors import UsageRefused
from core.runtime.console import echo, print_json

if TYPE_CHECKING:
    from core.store.database import Store
    from core.store.feedback_table import Feedback


@click.group()
def feedback() -> None:
    """Tell of the labels that people gave photos, in the bot or by moving files."""


@feedback.command("list")
@json_option
@pass_settings
def list_(settings: Settings, json: bool) -> None:
    """List the labels, the oldest first."""
    from core.store.feedback_table import find_photo, recorded

    with _store(settings) as store:
        settings.notice(store, settings.models_dir)
        labels = recorded(store)
        if not labels and not json:
            echo("Nobody has said what a photo is yet.")
        for one in labels:
            photo = find_photo(store, one)
            if json:
                print_json(_object(one, photo))
            else:
                echo(_line(one, photo))


@feedback.command()
@click.argument("number", type=int)
@json_option
@pass_settings
def show(settings: Settings, number: int, json: bool) -> None:
    """Tell all that is known of one label."""
    from core.paths import display
    from core.store.feedback_table import find_photo

    with _store(settings) as store:
        one = _found(store, number)
        photo = find_photo(store, one)
    if json:
        print_json(_object(one, photo))
        return
    for name, value in _object(one, photo).items():
        if value is not None:
            echo(f"{name:>12}  {display(Path(value)) if name == 'photo' else value}")


@feedback.command()
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@pass_settings
def export(settings: Settings, folder: Path) -> None:
    """Copy the photos that labels are of into class folders below FOLDER, new or empty."""
    from core.model.manifest import read_manifest
    from core.model.registry import find_model
    from core.runtime.output_files import refuse_if_not_empty, writing
    from core.store.feedback_table import find_photo, recorded

    refuse_if_not_empty(folder, "FOLDER")
    manifest = read_manifest(find_model(settings.models_dir))
    folders = {one.label: one.folder for one in manifest.classes}
    copied, missing = 0, 0
    with _store(settings) as store:
        settings.notice(store, settings.models_dir)
        latest = {one.sha256: one for one in recorded(store)}  # the last word on each photo
        for one in latest.values():
            photo = find_photo(store, one)
            if photo is None:
                missing += 1
                continue
            into = folder / folders.get(one.label, one.label)
            with writing(into):
                into.mkdir(parents=True, exist_ok=True)
                # named after its content: two photos may share a name
                shutil.copy2(photo, into / f"{one.sha256[:16]}{photo.suffix}")
            copied += 1
    echo(f"{copied} photos copied, {missing} not found any more or never kept.")


@feedback.command()
@click.argument("numbers", type=int, nargs=-1)
@option("--all", "everything", is_flag=True, help="Forget all of them.")
@pass_settings
def drop(settings: Settings, numbers: tuple[int, ...], everything: bool) -> None:
    """Forget labels. The photos stay where they are."""
    from core.store.feedback_table import drop as drop_labels
    from core.store.feedback_table import recorded

    if bool(numbers) == everything:
        raise UsageRefused("Name the numbers that `catdog feedback list` shows, or give --all.")
    with _store(settings) as store:
        for number in numbers:
            _found(store, number)
        ids = [one.id for one in recorded(store) if one.id] if everything else list(numbers)
        echo(f"{drop_labels(store, ids)} forgotten.")


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    from core.store.database import Store

    with closing(Store(settings.state_dir)) as store:
        yield store


def _found(store: Store, number: int) -> Feedback:
    from core.store.feedback_table import recorded

    for one in recorded(store):
        if one.id == number:
            return one
    raise UsageRefused(f"There is no label {number}. `catdog feedback list` shows their numbers.")


def _line(one: Feedback, photo: Path | None) -> str:
    from core.paths import display

    predicted = ""
    if one.predicted is not None:
        sure = f" {one.confidence:.0%}" if one.confidence is not None else ""
        predicted = f"; catdog said {one.predicted}{sure}"
    where = display(photo) if photo else "not here"
    return f"{one.id:>5}  {_date(one)}  {one.source}: {one.label}{predicted}  {where}"


def _object(one: Feedback, photo: Path | None) -> dict[str, Any]:
    return {
        "number": one.id,
        "at": _date(one),
        "source": one.source.value,
        "label": one.label,
        "predicted": one.predicted,
        "confidence": one.confidence,
        "model": one.model_version,
        "consent": one.consent,
        "sha256": one.sha256,
        "photo": str(photo) if photo else None,
    }


def _date(one: Feedback) -> str:
    return datetime.fromtimestamp(one.at or 0).isoformat(sep=" ", timespec="minutes")
