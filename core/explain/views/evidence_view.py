"""The sum of evidence, as the page shows it."""

from __future__ import annotations

from dataclasses import dataclass

from PIL import Image

from core.explain.answer import Answer
from core.explain.evidence import Evidence, Piece
from core.explain.views.drawings import over_photo, signed_picture
from core.pages.pictures import Encoding, data_url

_PIECE = 150  # pixels of the photo under the map of a piece of evidence


@dataclass(frozen=True, slots=True)
class PieceView:
    """A piece of evidence with a picture of where it comes from."""

    piece: Piece
    picture: str | None


@dataclass(frozen=True, slots=True, eq=False)
class EvidenceView:
    """The sum, and its strongest terms."""

    evidence: Evidence
    speaking_for: tuple[PieceView, ...]
    against: tuple[PieceView, ...]
    places: str | None  # evidence of each place, for and against


def evidence_view(answer: Answer, evidence: Evidence) -> EvidenceView:
    """Draw where each piece of evidence was seen."""
    small = Image.fromarray(answer.pixels).resize((_PIECE, _PIECE), Image.Resampling.BILINEAR)
    return EvidenceView(
        evidence=evidence,
        speaking_for=tuple(_piece(one, small) for one in evidence.speaking_for),
        against=tuple(_piece(one, small) for one in evidence.against),
        places=(
            None
            if evidence.places is None
            else data_url(signed_picture(evidence.places, side=_PIECE), Encoding.PNG)
        ),
    )


def _piece(piece: Piece, photo: Image.Image) -> PieceView:
    if piece.places is None:
        return PieceView(piece, None)
    return PieceView(piece, data_url(over_photo(photo, piece.places), quality=78))
