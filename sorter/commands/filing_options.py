"""What `sort` and `watch` have in common: options on the command line, and what they make up."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
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
from core.runtime.console import echo, print_json
from sorter.moving.completeness import STILL_SECONDS

if TYPE_CHECKING:
    from core.model.classifier import Classifier
    from core.store.database import Store
    from sorter.outcome import FileOutcome
    from sorter.routes import Routes
    from sorter.scanning.scan import Inbox

Command = TypeVar("Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Filing:
    """The options that say which photos are filed, and how."""

    into: Path | None
    recursive: bool
    include: tuple[str, ...]
    exclude: tuple[str, ...]
    copy: bool
    others: str
    conflict: str
    by_date: bool
    threshold: float | None
    model_choice: str | None
    still_seconds: float = STILL_SECONDS
    sidecars: tuple[str, ...] = ()
    raw: str = "on"

    def told(self) -> dict[str, Any]:
        """Give them as the journal keeps them."""
        told = asdict(self)
        told["into"] = str(self.into) if self.into else None
        return told


def _suffixes(
    context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
) -> tuple[str, ...]:
    """Read suffixes as people write them: `txt`, `.txt` and `*.txt` are the same."""
    from core.images.formats import CAMERA_SUFFIXES

    suffixes = []
    for value in values:
        suffix = value.lower().removeprefix("*")
        suffix = suffix if suffix.startswith((".", "_", "-")) else f".{suffix}"
        if len(suffix) < 2 or suffix in CAMERA_SUFFIXES or "/" in suffix:
            raise click.BadParameter(f"{value!r} is no suffix of a sidecar. Try .txt.")
        suffixes.append(suffix)
    return tuple(suffixes)


def filing_options(command: Command) -> Command:
    """Add the options of `Filing`, and --json."""
    for add in (
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
    ):
        command = add(command)
    return command


@dataclass(frozen=True, slots=True)
class Plan:
    """The folders, checked, the model, loaded, and the rules."""

    inbox: Inbox
    classifier: Classifier
    routes: Routes
    filing: Filing
    given: Mapping[Path, Path]  # real folders to what the person called them

    @property
    def folders(self) -> tuple[Path, Path]:
        return self.inbox.folder, self.inbox.destination

    @property
    def labels(self) -> dict[str, str]:
        """Each class folder's label."""
        return {seen.folder: seen.label for seen in self.routes.manifest.with_folders}

    @property
    def rules(self) -> str:
        """All that decides whether a photo stays: with other rules it is looked at again."""
        routes = self.routes
        decides = (routes.manifest.version, routes.thresholds, routes.move_others)
        return json.dumps([*decides, self.filing.copy, str(self.inbox.destination)])

    def tell(self, outcome: FileOutcome, *, as_json: bool) -> None:
        """Print what came of one file, as a line or as JSON."""
        from sorter.commands.summary import json_object, line

        if as_json:
            print_json(json_object(outcome, self._as_given))
            return
        manifest, destination = self.routes.manifest, self.inbox.destination
        echo(line(outcome, manifest, self.routes.threshold, destination))

    def _as_given(self, path: Path) -> str:
        """Write a path as one below the folder that was named on the command line."""
        for real, given in self.given.items():
            if path.is_relative_to(real):
                return str(given / path.relative_to(real))
        return str(path)


def make_plan(
    settings: Settings, folder: Path, filing: Filing, *, classifier: Classifier | None = None
) -> Plan:
    """Check the folders, and before anything is loaded; then load the model if none is given.

    Raises UsageRefused and ModelRefused.
    """
    from core.model.classifier import Classifier
    from core.model.manifest import read_manifest
    from core.model.registry import class_folders, find_model
    from sorter.routes import Routes
    from sorter.scanning.scan import Inbox
    from sorter.sidecars.name_patterns import SidecarNames

    if classifier is None:
        model = find_model(settings.models_dir, filing.model_choice)
        manifest = read_manifest(model)
    else:
        manifest = classifier.manifest
    own = {photo_class.folder for photo_class in manifest.with_folders}
    # the journal needs real paths, and events carry them on some systems, whatever was asked for
    real_folder = Path(os.path.realpath(folder))
    real_destination = Path(os.path.realpath(filing.into)) if filing.into else real_folder
    inbox = Inbox(
        folder=real_folder,
        destination=real_destination,
        recursive=filing.recursive,
        class_folders=class_folders(settings.models_dir) | own,
        include=filing.include,
        exclude=filing.exclude,
        sidecars=SidecarNames(filing.sidecars),
        raw=filing.raw == "on",
    )
    inbox.check()
    routes = Routes(
        manifest,
        real_destination,
        filing.threshold,
        move_others=filing.others == "move",
        by_date=filing.by_date,
    )
    given = {real_folder: folder, real_destination: filing.into or folder}
    given = dict(sorted(given.items(), key=lambda item: -len(item[0].parts)))  # the inner first
    return Plan(inbox, classifier or Classifier(model), routes, filing, given)


def refuse_filed(store: Store, plan: Plan) -> None:
    """Raise UsageRefused if the folder is one that photos were filed into, from wherever."""
    from core.errors import UsageRefused
    from core.paths import display
    from sorter.journal.journal import was_filed_into

    folder = plan.inbox.folder
    names = {name.casefold() for name in plan.inbox.class_folders}
    if folder.name.casefold() in names and was_filed_into(store, folder):
        raise UsageRefused(
            f"{display(folder)} is where photos were filed. Sort another folder, or `catdog undo`."
        )


def tell_recovered(store: Store, folders: tuple[Path, ...] | None) -> None:
    """Finish what killed runs left half done, in these folders or in all, and say so."""
    from sorter.undoing.recovery import recover

    for recovered in recover(store, folders):
        click.echo(recovered.line(), err=True)
