"""Which maker's RAW file a file is, by its first bytes or by its TIFF tags."""

from __future__ import annotations

from types import MappingProxyType
from typing import BinaryIO

from core.images.raw.source import Source
from core.images.raw.tiff import TIFF, Directory, read_header, walk

CANON_CR2, CANON_CR3, FUJIFILM_RAF = "Canon CR2", "Canon CR3", "Fujifilm RAF"
HEADER_BYTES = 32

_MAGIC = (  # offset, bytes, kind; ExifTool's and dcraw's knowledge of first bytes
    (4, b"ftypcrx ", CANON_CR3),
    (0, b"FUJIFILMCCD-RAW", FUJIFILM_RAF),
    (0, b"IIRO", "Olympus ORF"),
    (0, b"IIRS", "Olympus ORF"),
    (0, b"MMOR", "Olympus ORF"),
    (0, b"IIU\0", "Panasonic RW2"),
    (0, b"FOVb", "Sigma X3F"),
    (0, b"\0MRM", "Minolta MRW"),
    (6, b"HEAPCCDR", "Canon CRW"),
)
_TIFF_MAGIC = (  # the same for files that begin as TIFF
    (8, b"CR\x02", CANON_CR2),
    (8, b"IIII", "Phase One IIQ"),  # "IIIITwaR", "IIIICwaR"
    (8, b"MMMMRaw", "Phase One IIQ"),
)

NEW_SUBFILE_TYPE, COMPRESSION, PHOTOMETRIC = 0x00FE, 0x0103, 0x0106
_MAKE, _MODEL = 0x010F, 0x0110
_DNG_VERSION = 0xC612  # 50706; DNG 1.7, p. 23
_REDUCED = 1  # a bit of NewSubfileType: a smaller version of another image of the file
_SENSOR_PHOTOMETRIC = frozenset({32803, 34892})  # CFA (TIFF/EP), LinearRaw (DNG)
_CFA_TAGS = frozenset({0x828D, 0x828E})  # CFARepeatPatternDim, CFAPattern; TIFF/EP
_SENSOR_COMPRESSION = MappingProxyType(  # makers' own, as ExifTool names them: who wrote it
    {
        32766: ("SONY",),
        32767: ("SONY",),
        32770: ("SAMSUNG",),
        32772: ("SAMSUNG",),
        34713: ("NIKON",),
        65000: ("KODAK",),
        65535: ("PENTAX", "RICOH", "ASAHI", "SAMSUNG"),
    }
)
_BY_MAKE = (
    ("NIKON", "Nikon NEF"),
    ("SONY", "Sony ARW"),
    ("PENTAX", "Pentax PEF"),
    ("RICOH", "Pentax PEF"),
    ("ASAHI", "Pentax PEF"),
    ("SAMSUNG", "Samsung SRW"),
    ("HASSELBLAD", "Hasselblad 3FR"),
    ("PHASE ONE", "Phase One IIQ"),
    ("LEAF", "Leaf MOS"),
    ("MAMIYA", "Mamiya MEF"),
    ("EPSON", "Epson ERF"),
    ("KODAK", "Kodak DCR"),
)


def raw_kind(header: bytes) -> str | None:
    """Name the RAW format that a file's first 32 bytes announce beyond doubt."""
    for offset, magic, kind in _MAGIC:
        if header.startswith(magic, offset):
            return kind
    if header[:4] in (b"II*\0", b"MM\0*"):
        for offset, magic, kind in _TIFF_MAGIC:
            if header.startswith(magic, offset) and (magic != b"IIII" or header[13:16] == b"waR"):
                return kind
    return None


def tiff_raw_kind(file: BinaryIO) -> str | None:
    """Name the RAW format of a file that begins as TIFF; None for an ordinary TIFF.

    A file is RAW only if one of its directories holds a sensor's data, or if it says that it is
    a DNG whose first image is a smaller version of another one. Raises OSError only.
    """
    source = Source(file)
    announced = raw_kind(source.at(0, min(HEADER_BYTES, source.size)) or b"")
    header = read_header(source)
    if announced is not None or header is None or header[1] != TIFF:
        return announced if header is not None else None
    return kind_of_directories(walk(header[0], header[2]))


def kind_of_directories(directories: list[Directory]) -> str | None:
    """Name the RAW format of a TIFF with these directories, the first one first."""
    if not directories:
        return None
    first = directories[0]
    has_sensor = any(holds_sensor(one, make(first)) for one in directories)
    if _DNG_VERSION in first.entries:
        return "DNG" if has_sensor or _is_reduced(first) else None
    if not has_sensor:
        return None
    maker = make(first)
    if maker.startswith("NIKON") and "COOLPIX" in first.text(_MODEL).upper():
        return "Nikon NRW"
    return next((kind for name, kind in _BY_MAKE if name in maker), "TIFF/EP")


def make(first: Directory) -> str:
    """Return the camera's maker in capitals, as the first directory has it."""
    return first.text(_MAKE).upper()


def holds_sensor(directory: Directory, maker: str) -> bool:
    """Tell whether a directory's image is a sensor's data, by photometry or maker's compression.

    Samsung's have no PhotometricInterpretation, which every TIFF must have, but a colour filter.
    """
    if directory.number(PHOTOMETRIC) in _SENSOR_PHOTOMETRIC:
        return True
    if PHOTOMETRIC not in directory.entries and _CFA_TAGS & directory.entries.keys():
        return True
    makers = _SENSOR_COMPRESSION.get(directory.number(COMPRESSION) or 0, ())
    return any(name in maker for name in makers)


def _is_reduced(directory: Directory) -> bool:
    return bool((directory.number(NEW_SUBFILE_TYPE) or 0) & _REDUCED)
