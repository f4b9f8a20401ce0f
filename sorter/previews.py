"""Photos that stay, told by their previews: what is filed is always looked at in full."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.classifier import Classifier
from core.inference import Glance, no_glance
from core.labels import Role
from core.prediction import Prediction
from core.preprocessing import preprocess
from core.preview import Preview, read_preview
from sorter.routes import Routes


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What a photo's preview shows."""

    prediction: Prediction
    likeliest_filed: float  # the highest probability of a class that is filed


def look_at_preview(classifier: Classifier, preview: Preview) -> Glimpse:
    """Predict by a preview alone."""
    manifest = classifier.manifest
    (seen,) = classifier.predict(preprocess(preview.image, manifest.preprocessing)[None])
    filed = [one.label for one in manifest.classes if one.role is Role.FILE]
    return Glimpse(seen, max((seen.probabilities[label] for label in filed), default=0.0))


@dataclass(frozen=True, slots=True)
class PreviewGlance:
    """A look at the preview of a photo, which can do no more than leave it where it is."""

    classifier: Classifier
    routes: Routes
    limits: Mapping[str, float]  # 0 to 1, by the photo's format

    def __call__(self, photo: Path) -> Prediction | None:
        """Predict by the preview, if it rules out each class that is filed; else None."""
        preview = read_preview(photo)
        if preview is None or preview.format not in self.limits:
            return None
        glimpse = look_at_preview(self.classifier, preview)
        if glimpse.likeliest_filed >= self.limits[preview.format]:
            return None
        seen = glimpse.prediction
        return seen if self.routes.of(photo, seen).folder is None else None


def glance_for(classifier: Classifier, routes: Routes) -> Glance:
    """Make the glance for a run; it sees nothing where that decides nothing or was not measured.

    It was measured at the model's own threshold: at a lower one more would be filed.
    """
    manifest = classifier.manifest
    limits = {name: float(measured["limit"]) for name, measured in manifest.previews.items()}
    if not limits or routes.move_others or routes.threshold < manifest.threshold:
        return no_glance
    return PreviewGlance(classifier, routes, limits)
