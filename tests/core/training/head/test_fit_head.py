"""Fitting a head."""

from __future__ import annotations

import numpy as np
import pytest

from core.model.head import Head
from core.training.head.fit_head import Samples, fit_head, nothing_known


def _samples(seed: int = 0, number: int = 200) -> Samples:
    random = np.random.default_rng(seed)
    targets = random.integers(0, 3, number)
    features = random.normal(0, 1, (number, 8)).astype(np.float32)
    features[np.arange(number), targets] += 3
    return Samples(features, targets.astype(np.intp), np.ones(number, np.float32))


def test_it_learns_what_can_be_told() -> None:
    """Classes that lie apart are told apart, by photos that were not learnt from too."""
    head = fit_head(_samples(), nothing_known(8, 3), decay=1e-3)
    new = _samples(seed=1)
    assert (head.logits(new.features).argmax(axis=1) == new.targets).mean() > 0.9


def test_it_finds_scikit_learns_minimum() -> None:
    """The loss is that of scikit-learn's logistic regression with the same penalty."""
    from sklearn.linear_model import LogisticRegression

    samples = _samples()
    spread = samples.features.std(axis=0)
    decay = 0.05
    theirs = LogisticRegression(C=1 / (decay * len(samples.targets)), tol=1e-8, max_iter=1000)
    theirs.fit(samples.features / spread, samples.targets)
    ours = fit_head(samples, nothing_known(8, 3), decay=decay)
    expected = theirs.predict_proba(samples.features / spread)
    logits = ours.logits(samples.features)
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    assert powers / powers.sum(axis=1, keepdims=True) == pytest.approx(expected, abs=5e-3)


def test_a_strong_decay_keeps_the_kernel_before() -> None:
    """What is far from the head before costs more than any error."""
    before = Head(np.eye(8, 3, dtype=np.float32), np.zeros(3, np.float32))
    head = fit_head(_samples(), before, decay=1e4)
    assert head.kernel == pytest.approx(before.kernel, abs=1e-3)


def test_weights_count() -> None:
    """A photo of weight 0 is as if it were not there."""
    samples = _samples()
    wrong = Samples(
        np.concatenate([samples.features, samples.features]),
        np.concatenate([samples.targets, (samples.targets + 1) % 3]),
        np.concatenate([samples.weights, np.zeros_like(samples.weights)]),
    )
    one = fit_head(samples, nothing_known(8, 3), decay=1e-2)
    other = fit_head(wrong, nothing_known(8, 3), decay=1e-2)
    assert other.kernel == pytest.approx(one.kernel, abs=0.02)
