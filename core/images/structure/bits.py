"""The sides that a video codec's own header states, bit by bit."""

from __future__ import annotations


class Bits:
    """Bits of a header, the highest of each byte first. What lies beyond its end is 0."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def take(self, count: int) -> int:
        value = 0
        for _ in range(count):
            byte, bit = divmod(self._at, 8)
            value <<= 1
            if byte < len(self._content):
                value |= self._content[byte] >> (7 - bit) & 1
            self._at += 1
        return value

    def flag(self) -> bool:
        return bool(self.take(1))

    def exponential_golomb(self) -> int:
        """Read ue(v) of ITU-T H.265, 9.2, which is AV1's uvlc(), too."""
        zeros = 0
        while zeros < 32 and not self.flag():
            zeros += 1
        return (1 << zeros) - 1 + self.take(zeros)


def av1_sides(content: bytes) -> tuple[int, int] | None:
    """Read width and height of the first sequence header in some OBUs (AV1, 5.3 and 5.5)."""
    at = 0
    while at < len(content):
        kind, extended, sized = content[at] >> 3 & 15, content[at] >> 2 & 1, content[at] >> 1 & 1
        at += 1 + extended
        length = len(content) - at
        if sized:
            length, used = _leb128(content, at)
            at += used
        if kind == 1:
            return _sequence_sides(Bits(content[at : at + length]))
        at += length
    return None


def _leb128(content: bytes, at: int) -> tuple[int, int]:
    value = 0
    for index, byte in enumerate(content[at : at + 8]):
        value |= (byte & 127) << (7 * index)
        if not byte & 128:
            return value, index + 1
    return value, 8


def _sequence_sides(bits: Bits) -> tuple[int, int]:
    bits.take(4)  # profile, still picture
    if bits.flag():  # reduced header
        bits.take(5)
    else:
        model_bits = 0
        has_model = False
        if bits.flag():  # timing info
            bits.take(64)
            if bits.flag():
                bits.exponential_golomb()
            has_model = bits.flag()
            if has_model:
                model_bits = bits.take(5) + 1
                bits.take(42)
        has_delay = bits.flag()
        for _ in range(bits.take(5) + 1):
            bits.take(12)
            if bits.take(5) > 7:
                bits.take(1)
            if has_model and bits.flag():
                bits.take(2 * model_bits + 1)
            if has_delay and bits.flag():
                bits.take(4)
    wide, high = bits.take(4) + 1, bits.take(4) + 1
    return bits.take(wide) + 1, bits.take(high) + 1


def hevc_sides(unit: bytes) -> tuple[int, int] | None:
    """Read width and height of a sequence parameter set (ITU-T H.265, 7.3.2.2)."""
    if len(unit) < 4 or unit[0] >> 1 & 63 != 33:
        return None
    bits = Bits(unit[2:].replace(b"\0\0\3", b"\0\0"))
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.take(96)  # profile, tier, level
    present = [(bits.flag(), bits.flag()) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.exponential_golomb()
    if bits.exponential_golomb() == 3:  # chroma format
        bits.take(1)
    return bits.exponential_golomb(), bits.exponential_golomb()


def hevc_configuration_sides(body: bytes) -> tuple[int, int] | None:
    """Read the sides in an hvcC's sequence parameter set (ISO/IEC 14496-15, 8.3.3.1.2)."""
    fields = Fields(body, 22)
    for _ in range(fields.take(1)):
        fields.take(1)  # the kind of what follows
        for _ in range(fields.take(2)):
            length = fields.take(2)
            sides = hevc_sides(body[fields.at : fields.at + length])
            if sides is not None:
                return sides
            fields.at += length
            if fields.is_over:
                return None
    return None


class Fields:
    """Whole numbers that stand one behind the other. What lies beyond the end is 0."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self._content = content
        self.at = at

    @property
    def is_over(self) -> bool:
        return self.at >= len(self._content)

    def take(self, width: int) -> int:
        """Read the next number, of so many bytes."""
        self.at += width
        return int.from_bytes(self._content[self.at - width : self.at])
