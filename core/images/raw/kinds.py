"""Which maker's RAW file a file is, by its first bytes or by its TIFF tags."""

from __future__ import annotations

from types import MappingProxyType

from core.images.raw.directories import number, open_tiff, text, walk
from core.images.structure.base import Source
from core.images.structure.tiff import Directory

CANON_CR2, CANON_CR3, FUJIFILM_RAF = "Canon CR2", "Canon CR3", "Fujifilm RAF"
_HEADER_BYTES = 32

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


def raw_kind(source: Source) -> str | None:
    """Return the RAW format of a file, by its first bytes or its TIFF directories; else None.

    A TIFF is RAW only if one of its directories holds a sensor's data, or if it states that it is
    a DNG whose first image is a smaller version of another one.
    """
    header = source.up_to(0, _HEADER_BYTES)
    is_tiff = header[:4] in (b"II*\0", b"MM\0*")
    for offset, magic, kind in _TIFF_MAGIC if is_tiff else _MAGIC:
        if header.startswith(magic, offset) and (magic != b"IIII" or header[13:16] == b"waR"):
            return kind
    tiff = open_tiff(source) if is_tiff else None
    return _kind_of(walk(tiff)) if tiff else None


def _kind_of(directories: list[Directory]) -> str | None:
    if not directories:
        return None
    first = directories[0]
    has_sensor = any(holds_sensor(one, make(first)) for one in directories)
    if _DNG_VERSION in first.fields:
        return "DNG" if has_sensor or _is_reduced(first) else None
    if not has_sensor:
        return None
    maker = make(first)
    if maker.startswith("NIKON") and "COOLPIX" in text(first, _MODEL).upper():
        return "Nikon NRW"
    return next((kind for name, kind in _BY_MAKE if name in maker), "TIFF/EP")


def make(first: Directory) -> str:
    """Return the camera's maker in capitals, as the first directory has it."""
    return text(first, _MAKE).upper()


def holds_sensor(directory: Directory, maker: str) -> bool:
    """Return whether a directory's image is a sensor's data, by photometry or maker's compression.

    Samsung's have no PhotometricInterpretation, which every TIFF must have, but a colour filter.
    """
    if number(directory, PHOTOMETRIC) in _SENSOR_PHOTOMETRIC:
        return True
    if PHOTOMETRIC not in directory.fields and _CFA_TAGS & directory.fields.keys():
        return True
    makers = _SENSOR_COMPRESSION.get(number(directory, COMPRESSION) or 0, ())
    return any(name in maker for name in makers)


def _is_reduced(directory: Directory) -> bool:
    return bool((number(directory, NEW_SUBFILE_TYPE) or 0) & _REDUCED)
