"""A filing plan: which photos are filed, by which model, and how."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core.errors import UsageRefused
from core.model.classifier import Classifier
from core.paths import display
from core.store.database import Store
from sorter.filing.mover import Conflict, Mover
from sorter.filing.pipeline import Sorting
from sorter.journal.moves import filed_by_another_run, was_filed_into
from sorter.journal.run import Run
from sorter.moving.completeness import STILL_SECONDS
from sorter.moving.mounts import Mounts
from sorter.routes import Routes
from sorter.scanning.inbox import Inbox


@dataclass(frozen=True, slots=True)
class FilingPlan:
    """The folders, checked, the model, loaded, and the rules."""

    inbox: Inbox
    classifier: Classifier
    routes: Routes
    copy: bool = False
    on_conflict: Conflict = Conflict.RENAME
    still_seconds: float = STILL_SECONDS
    options: Mapping[str, Any] = field(default_factory=dict)  # for the journal

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
        return json.dumps([*decides, self.copy, str(self.inbox.destination)])

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
        """Begin a run of the journal. Raises StoreUnusable."""
        version = self.routes.manifest.version
        return Run(store, command, *self.folders, options=self.options, model_version=version)

    def sorting(self, store: Store, run: Run | None, *, mounts: Mounts | None = None) -> Sorting:
        """Return what sorts as planned; without a run nothing is moved.

        `mounts` is what was mounted when all was there for sure, if that was before now.
        """
        mover = Mover(
            run,
            self.inbox.destination,
            mounts=mounts,
            copy=self.copy,
            on_conflict=self.on_conflict,
            still_seconds=self.still_seconds,
        )
        own = run.id if run is not None else 0
        return Sorting(
            self.classifier,
            self.routes,
            mover,
            was_filed=lambda photo: filed_by_another_run(store, own, photo),
        )
