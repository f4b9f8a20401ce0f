"""What kind of file system a path lies on, and what that kind does not do."""

from __future__ import annotations

import logging
import os
import stat
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

log = logging.getLogger(__name__)

# Changes made elsewhere, on the server or the virtual machine's host, give no event here.
_SILENT = frozenset(
    {"cifs", "ncpfs", "coda", "afs", "openafs", "afpfs", "webdav", "davfs", "davfs2", "ftp"}
    | {"ceph", "glusterfs", "lustre", "gpfs", "beegfs", "orangefs", "pvfs2", "gfs2", "ocfs2"}
    | {"9p", "vboxsf", "vmhgfs", "prl_fs", "virtiofs", "drvfs", "fakeowner", "grpcfuse", "osxfs"}
    | {"fuse", "fuseblk"}
)
_SILENT_STARTS = ("nfs", "smb", "fuse.", "macfuse", "osxfuse")  # nfs4, smbfs, fuse.sshfs

_ENTRIES_TRIED = 100  # of one folder: digits and hard links show nothing, most names do


@dataclass(frozen=True, slots=True)
class FileSystem:
    kind: str  # as the system calls it: ext4, apfs, nfs4, fuse.sshfs; "" if unknown
    mount_point: Path
    reports_changes: bool  # False where changes made elsewhere give no event


def file_system_of(path: Path) -> FileSystem:
    """Return the file system that a path lies on, or would lie on: it need not be there.

    One that cannot be found counts as one that reports changes.
    """
    import psutil  # here: it would slow every start

    real = Path(os.path.realpath(path))
    if real.drive.startswith("\\\\") and not real.drive.startswith(("\\\\?\\", "\\\\.\\")):
        return FileSystem("UNC", Path(real.anchor), reports_changes=False)
    try:
        mounted = psutil.disk_partitions(all=True)
    except (OSError, RuntimeError, psutil.Error) as error:
        log.debug("file systems cannot be listed: %s", error)
        mounted = []
    found = None
    for one in mounted:
        mount_point = Path(one.mountpoint)
        if not real.is_relative_to(mount_point):
            continue
        # among those of one place the last is on top
        if found is None or len(mount_point.parts) >= len(found.mount_point.parts):
            is_remote = "remote" in one.opts.split(",")  # Windows' word for drives of a network
            kind = one.fstype.lower()
            is_silent = is_remote or kind in _SILENT or kind.startswith(_SILENT_STARTS)
            found = FileSystem(one.fstype, mount_point, reports_changes=not is_silent)
    return found or FileSystem("", Path(real.anchor), reports_changes=True)


def ignores_case(folder: Path) -> bool | None:
    """Return whether names in a folder are the same in any case; None if that is not known.

    Nothing is written: a name that is there is looked up in the other case. If the folder holds
    none with letters, or is not there, the folders above it on its file system speak for it.
    """
    here = nearest_folder(Path(os.path.realpath(folder)))
    try:
        device = here.stat().st_dev
        with os.scandir(here) as entries:
            names = [entry.name for entry in islice(entries, _ENTRIES_TRIED)]
        for name in names:
            ignored = _is_there_in_other_case(here, name)
            if ignored is not None:
                return ignored
        inner = here
        for outer in here.parents:
            if outer.stat().st_dev != device:
                break  # a mount point's own name is one of the file system that it stands in
            ignored = _is_there_in_other_case(outer, inner.name)
            if ignored is not None:
                return ignored
            inner = outer
    except OSError as error:
        log.debug("case in %s is not known: %s", here, error)
    return None


def nearest_folder(path: Path) -> Path:
    """Return a folder itself, or where it is not there yet the nearest one above it that is."""
    above = chain((path,), path.parents)
    return next(one for one in above if os.path.isdir(one) or one == one.parent)


def is_same_folder(one: Path, other: Path) -> bool:
    """Compare folders as the file system does: links are followed, case may not matter."""
    try:
        return one.samefile(other)
    except OSError:
        return False  # one of them is not there


def _is_there_in_other_case(folder: Path, name: str) -> bool | None:
    """Look one name up in the other case; None if that shows nothing."""
    # beyond ASCII systems differ in what the other case is, and ß has none
    other = "".join(char.swapcase() if char.isascii() else char for char in name)
    if other == name:
        return None
    try:
        one = (folder / name).lstat()
    except OSError:
        return None  # gone meanwhile
    if one.st_nlink > 1 and not stat.S_ISDIR(one.st_mode):
        return None  # both names may be there, of one file
    try:
        return os.path.samestat(one, (folder / other).lstat())
    except FileNotFoundError:
        return False
    except OSError:
        return None
