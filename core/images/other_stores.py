"""Folders that other programs keep photos in for themselves: what is taken out is lost to them."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

# In lower case, as fnmatch takes them.
_LIBRARIES = (
    "*.photoslibrary", "*.photolibrary", "*.migratedphotolibrary", "*.aplibrary",
    "*.migratedaplibrary", "iphoto library", "photo booth library", "*.imovielibrary",
    "*.imovieproject", "*.fcpbundle", "*.tvlibrary", "*.musiclibrary", "*.lrlibrary",
    "*.lrdata", "*.lrcat-data", "*.cocatalog", "*.cosessiondb", "captureone", "*.dtbase2",
    "*.c1catalog", "*.luminar", "*.skylumcatalog", "*.theater", "*.backupdb", "*.backupbundle",
    "*.sparsebundle",
    # documents and programs of macOS, which are folders elsewhere
    "*.rtfd", "*.pages", "*.numbers", "*.key", "*.app", "*.bundle", "*.framework", "*.textbundle",
    "*.pxm", "*.band", "*.logicx", "*.xcassets", "*.photoslideshow",
)  # fmt: skip
_PREVIEWS = (
    "@eadir", "thumbs", "thumbnails", ".thumbnails", ".thumbs", "@__thumb", ".@__thumb",
    "ipod photo cache", ".picasaoriginals", "appdata_*", "encoded-video", "zbthumbnail*",
    "*.thumbdata*", ".xvpics", "thumbnails-digikam*", "smart previews",
)  # fmt: skip
_REMOVED = (
    "#recycle", "@recycle", "$recycle.bin", "recycler", "recycled", ".trash*", "trash",
    ".recycle*", "network trash folder", ".dtrash", "files_trashbin", "files_versions",
    "lost+found", "found.[0-9][0-9][0-9]", ".stversions", "@tmp",
)  # fmt: skip
_SYSTEMS = (
    "__macosx", "system volume information", "#snapshot", "@recently-snapshot", ".snapshot*",
    ".zfs", ".spotlight-v100", ".fseventsd", ".documentrevisions-v100", ".temporaryitems",
    "~snapshot", "lost.dir", "@sharebin", "@database", "@appstore", "*.download",
)  # fmt: skip
_NAMES = (*_LIBRARIES, *_PREVIEWS, *_REMOVED, *_SYSTEMS)


def is_other_store(name: str) -> bool:
    """Return by a folder's name, in any case, whether another program keeps its own in it."""
    return _matches(name, _NAMES)


def first_library(names: Iterable[str]) -> str | None:
    """Return the first folder of a path that is a program's library, and no place for input."""
    return next((name for name in names if _matches(name, _LIBRARIES)), None)


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(name.lower(), pattern) for pattern in patterns)
