"""A filing plan: which photos are filed, by which model, and how."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import UsageRefused
from core.model.classifier import Classifier
from core.paths import display
from core.store.database import Store
from sorter.filing.free_names import Conflict
from sorter.filing.mover import Mover
from sorter.filing.pipeline import Sorting
from sorter.journal.moves import filed_by_another_run, was_filed_into
from sorter.journal.run import Run
from sorter.moving.completeness import STILL_SECONDS
from sorter.moving.mounts import Mounts, mount_points
from sorter.routes import Routes
from sorter.scanning.inbox import Inbox

if TYPE_CHECKING:
    from core.archive.table_answers import TableAnswers


@dataclass(frozen=True, slots=True)
class FilingOptions:
    """What a person chose; `catdog sort --help` describes each."""

    into: Path | None = None
    recursive: bool = False
    include: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    copy: bool = False
    others: str = "leave"
    conflict: str = "rename"
    by_date: bool = False
    threshold: float | None = None
    model_choice: str | None = None
    still_seconds: float = STILL_SECONDS
    sidecars: tuple[str, ...] = ()
    raw: str = "on"

    def for_journal(self) -> dict[str, Any]:
        return {**asdict(self), "into": str(self.into) if self.into else None}


@dataclass(frozen=True, slots=True)
class FilingPlan:
    """The folders, checked, the model, loaded, and the rules."""

    inbox: Inbox
    classifier: Classifier
    routes: Routes
    options: FilingOptions = FilingOptions()
    answers: TableAnswers | None = None  # of a table, to file by

    @property
    def folders(self) -> tuple[Path, Path]:
        return self.inbox.folder, self.inbox.destination

    @property
    def labels(self) -> dict[str, str]:
        """Each class folder's label."""
        return {one.folder: one.label for one in self.routes.manifest.with_folders}

    @property
    def rules(self) -> str:
        """All that decides whether a photo is left: under other rules it is sorted again."""
        routes = self.routes
        decides = (routes.manifest.version, routes.thresholds, routes.move_others)
        return json.dumps([*decides, self.options.copy, str(self.inbox.destination)])

    def check(self, store: Store) -> None:
        """Raise UsageRefused if the folder is one that photos were filed into, from wherever."""
        folder = self.inbox.folder
        names = {name.casefold() for name in self.inbox.class_folders}
        if folder.name.casefold() in names and was_filed_into(store, folder):
            raise UsageRefused(
                f"{display(folder)} is where photos were filed. Sort another folder, or `catdog "
                "undo`."
            )

    def begin_run(self, store: Store, command: str) -> Run:
        options = {**self.options.for_journal(), "mounts": mount_points(self.inbox.folder)}
        version = self.routes.manifest.version
        return Run(store, command, *self.folders, options=options, model_version=version)

    def sorting(self, store: Store, run: Run | None, *, mounts: Mounts | None = None) -> Sorting:
        """Return what sorts as planned; without a run nothing is moved.

        `mounts` is what was mounted when all was there for sure, if that was before now.
        """
        mover = Mover(
            run,
            self.inbox.destination,
            mounts=mounts,
            copy=self.options.copy,
            on_conflict=Conflict(self.options.conflict),
            still_seconds=self.options.still_seconds,
        )
        own = run.id if run is not None else 0
        return Sorting(
            self.classifier,
            self.routes,
            mover,
            was_filed=lambda photo: filed_by_another_run(store, own, photo),
            answers=self.answers,
        )
