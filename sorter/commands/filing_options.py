"""What `sort` and `watch` have in common: options on the command line, and their plan."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from core.commands.options import (
    FolderPath,
    Number,
    Settings,
    json_option,
    model_option,
    option,
    threshold_option,
)
from sorter.moving.completeness import STILL_SECONDS

if TYPE_CHECKING:
    from core.model.classifier import Classifier
    from core.store.database import Store
    from sorter.filing.plan import FilingOptions, FilingPlan

Command = TypeVar("Command", bound=Callable[..., Any])


def _suffixes(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Return suffixes as people write them: `txt`, `.txt` and `*.txt` are the same."""
    from core.images.formats import CAMERA_SUFFIXES

    suffixes = []
    for value in values:
        suffix = value.lower().removeprefix("*")
        suffix = suffix if suffix.startswith((".", "_", "-")) else f".{suffix}"
        if len(suffix) < 2 or suffix in CAMERA_SUFFIXES or "/" in suffix:
            raise click.BadParameter(f"{value!r} is no suffix of a sidecar. Try .txt.")
        suffixes.append(suffix)
    return tuple(suffixes)


_OPTIONS = (  # the last is the first in --help
    json_option,
    model_option,
    threshold_option,
    option(
        "--by-date",
        is_flag=True,
        help="File into cats/2026/11/: when it was taken, by its "
        "EXIF, a note beside it, its name, or else its file's time.",
    ),
    option(
        "--conflict",
        type=click.Choice(["rename", "skip"]),
        default="rename",
        show_default=True,
        help="What to do with a photo whose name is taken by another one: give it a number, "
        "or leave it.",
    ),
    option(
        "--others",
        type=click.Choice(["leave", "move"]),
        default="leave",
        show_default=True,
        help="What to do with photos that are not filed: leave them, or move them to unsure/, "
        "other/ and unreadable/.",
    ),
    option(
        "--still-seconds",
        envvar="CATDOG_STILL_SECONDS",
        type=Number(min=0),
        default=STILL_SECONDS,
        show_default=True,
        help="Where the system cannot tell whether a program is still writing to a file: "
        "seconds that it must not have changed before it is copied, or called cut off.",
    ),
    option(
        "--sidecars",
        multiple=True,
        metavar="SUFFIX",
        callback=_suffixes,
        help="Have files with this suffix go with their photo, too, such as .txt. Repeatable.",
    ),
    option(
        "--raw",
        type=click.Choice(["on", "off"]),
        default="on",
        show_default=True,
        help="Raw photos without a JPEG beside them: sort them by their own full-size preview, "
        "or leave them.",
    ),
    option("--copy", is_flag=True, help="Copy photos and leave the originals."),
    option(
        "--exclude",
        multiple=True,
        metavar="PATTERN",
        help="Leave photos and folders of this name, at any depth, as .gitignore would: "
        "'*_edited.*', 'private/', 'trip/day 1'. Repeatable.",
    ),
    option(
        "--include",
        multiple=True,
        metavar="PATTERN",
        help="Sort only photos of this name, such as 'IMG_*'. Repeatable.",
    ),
    option("--recursive", is_flag=True, help="Look into subfolders, too."),
    option(
        "--into",
        type=FolderPath(file_okay=False),
        help="Where cats/ and dogs/ are, or will be.  [default: FOLDER]",
    ),
)


def filing_options(command: Command) -> Command:
    """Add the options of `FilingOptions`, and --json."""
    for add in _OPTIONS:
        command = add(command)
    return command


def make_plan(
    settings: Settings,
    folder: Path,
    options: FilingOptions,
    *,
    classifier: Classifier | None = None,
) -> FilingPlan:
    """Check the folders, and before anything is loaded; then load the model if none is given.

    Raises UsageRefused and ModelRefused.
    """
    from core.model.classifier import Classifier
    from core.model.manifest import read_manifest
    from core.model.registry import class_folders, find_model
    from sorter.filing.plan import FilingPlan
    from sorter.routes import Routes
    from sorter.scanning.inbox import Inbox
    from sorter.sidecars.name_patterns import SidecarNames

    if classifier is None:
        model = find_model(settings.models_dir, options.model_choice)
        manifest = read_manifest(model)
    else:
        manifest = classifier.manifest
    own = {photo_class.folder for photo_class in manifest.with_folders}
    # the journal needs real paths, and events carry them on some systems, whatever was asked for
    real_folder = Path(os.path.realpath(folder))
    real_destination = Path(os.path.realpath(options.into)) if options.into else real_folder
    inbox = Inbox(
        folder=real_folder,
        destination=real_destination,
        recursive=options.recursive,
        class_folders=class_folders(settings.models_dir) | own,
        include=options.include,
        exclude=options.exclude,
        sidecars=SidecarNames(options.sidecars),
        raw=options.raw == "on",
    )
    inbox.check()
    routes = Routes(
        manifest,
        real_destination,
        options.threshold,
        move_others=options.others == "move",
        by_date=options.by_date,
    )
    return FilingPlan(
        inbox,
        classifier or Classifier(model),
        routes,
        options,
    )


def recover_and_report(store: Store, folders: tuple[Path, ...] | None) -> None:
    """Finish what killed runs left half done, in these folders or in all, and print it."""
    from sorter.undoing.recovery import recover

    for recovered in recover(store, folders):
        click.echo(recovered.line(), err=True)
