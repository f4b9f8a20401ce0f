"""Photos that stay, told by their previews: what is filed is always looked at in full."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.classifier import Classifier
from core.inference import Glance, no_glance
from core.labels import Role
from core.prediction import Prediction
from core.preprocessing import preprocess
from core.preview import read_preview
from sorter.routes import Routes


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a photo's preview shows."""

    prediction: Prediction
    likeliest_filed: float  # the highest probability of a class that is filed


def look_at_preview(classifier: Classifier, photo: Path) -> Glimpse | None:
    """Predict by the preview of a photo; None without one that may be used."""
    preview = read_preview(photo)
    if preview is None:
        return None
    manifest = classifier.manifest
    (seen,) = classifier.predict(preprocess(preview, manifest.preprocessing)[None])
    filed = [one.label for one in manifest.classes if one.role is Role.FILE]
    return Glimpse(seen, max((seen.probabilities[label] for label in filed), default=0.0))


@dataclass(frozen=True, slots=True)
class PreviewGlance:
    """A look at the preview of a photo, which can do no more than leave it where it is."""

    classifier: Classifier
    routes: Routes
    limit: float  # 0 to 1

    def __call__(self, photo: Path) -> Prediction | None:
        """Predict by the preview, if it rules out each class that is filed; else None."""
        glimpse = look_at_preview(self.classifier, photo)
        if glimpse is None or glimpse.likeliest_filed >= self.limit:
            return None
        seen = glimpse.prediction
        return seen if self.routes.of(photo, seen).folder is None else None


def glance_for(classifier: Classifier, routes: Routes) -> Glance:
    """Make the glance for a run; it sees nothing where that decides nothing or was not measured.

    It was measured at the model's own threshold: at a lower one more would be filed.
    """
    manifest = classifier.manifest
    limit = manifest.previews.get("limit")
    if limit is None or routes.move_others or routes.threshold < manifest.threshold:
        return no_glance
    return PreviewGlance(classifier, routes, float(limit))
