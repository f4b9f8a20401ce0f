"""Evidence adds up to what the network says, piece by piece and place by place."""

from __future__ import annotations

import numpy as np
import pytest

from core.explain.evidence import PIECES, Evidence, lead_over, of_network, of_pooled
from core.training.networks.inspected import Inspected, Layer, LayerKind

RANDOM = np.random.default_rng(11)


def dense(name: str, before: Layer, units: int, activation: str = "linear") -> Layer:
    kernel = RANDOM.normal(0, 0.3, (len(before.output), units)).astype(np.float32)
    bias = RANDOM.normal(0, 0.3, units).astype(np.float32)
    output = before.output @ kernel + bias
    if activation == "relu":
        output = np.maximum(output, 0)
    weights = {"kernel": kernel, "bias": bias}
    return Layer(name, LayerKind.DENSE, (before.name,), output, activation, weights)


def flattened(*hidden: int, outputs: int = 1, activation: str = "relu") -> Inspected:
    """A map of 4 x 4 places, flattened, with dense layers behind it."""
    values = np.maximum(RANDOM.normal(0, 1, (4, 4, 6)), 0).astype(np.float32)
    layers = [
        Layer("map", LayerKind.MAX_POOLING, (), values),
        Layer("flatten", LayerKind.FLATTEN, ("map",), values.ravel()),
    ]
    for number, units in enumerate(hidden):
        layers.append(dense(f"hidden{number}", layers[-1], units, activation))
        layers.append(
            Layer(f"drop{number}", LayerKind.DROPOUT, (layers[-1].name,), layers[-1].output)
        )
    layers.append(dense("last", layers[-1], outputs))
    return Inspected(tuple(layers))


def biases(inspected: Inspected, index: int) -> float:
    """What the biases alone come to: the network without the map, its ReLUs as they stand."""
    total = np.zeros(96)
    for layer in inspected.layers:
        if layer.kind is LayerKind.DENSE:
            total = total @ layer.weights["kernel"] + layer.weights["bias"]
            if layer.activation == "relu":
                total = total * (layer.output > 0)
    return float(lead_over(total, index))


@pytest.mark.parametrize("hidden", [(), (20,), (20, 12)])
@pytest.mark.parametrize(("outputs", "index"), [(1, 0), (1, 1), (3, 2)])
def test_pieces_and_places_add_up_to_the_lead(
    hidden: tuple[int, ...], outputs: int, index: int
) -> None:
    """Through any number of ReLUs, for one sigmoid and for more classes."""
    inspected = flattened(*hidden, outputs=outputs)
    evidence = of_network(inspected, index)
    assert evidence is not None
    lead = float(lead_over(inspected.last.output, index))
    assert evidence.total == pytest.approx(lead, abs=1e-4)
    assert evidence.gains + evidence.losses + evidence.bias == pytest.approx(lead, abs=1e-4)
    assert evidence.places is not None
    assert evidence.places.shape == (4, 4)
    assert evidence.places.sum() + biases(inspected, index) == pytest.approx(lead, abs=1e-4)


def test_a_unit_is_shown_where_its_value_comes_from() -> None:
    inspected = flattened(20)
    evidence = of_network(inspected, 1)
    assert evidence is not None
    hidden = inspected.named("hidden0")
    for piece in (*evidence.speaking_for, *evidence.against):
        assert piece.value == pytest.approx(float(hidden.output[piece.index]), abs=1e-5)
        assert piece.places is not None
        bias = float(hidden.weights["bias"][piece.index])
        assert piece.places.sum() + bias == pytest.approx(piece.value, abs=1e-4)


def test_an_activation_that_cannot_be_followed_leaves_places_out() -> None:
    """Rather than places that do not add up."""
    evidence = of_network(flattened(20, activation="tanh"), 1)
    assert evidence is not None
    assert evidence.places is None
    assert all(piece.places is None for piece in evidence.speaking_for)


def strongest(evidence: Evidence) -> tuple[list[float], list[float]]:
    return [one.evidence for one in evidence.speaking_for], [
        one.evidence for one in evidence.against
    ]


def test_the_ten_strongest_of_a_head_are_shown_for_and_against() -> None:
    """Each channel's mean times its weight, over the mean of the other classes'."""
    features = RANDOM.uniform(0, 6, (3, 5, 40)).astype(np.float32)
    kernel = RANDOM.normal(0, 1, (40, 4)).astype(np.float32)
    bias = RANDOM.normal(0, 1, 4).astype(np.float32)
    evidence = of_pooled(features, kernel, bias, 2)
    means = features.mean(axis=(0, 1))
    each = means * (kernel[:, 2] - kernel[:, [0, 1, 3]].mean(axis=1))
    found_for, against = strongest(evidence)
    np.testing.assert_allclose(found_for, np.sort(each)[::-1][:PIECES], atol=1e-4)
    np.testing.assert_allclose(against, np.sort(each)[:PIECES], atol=1e-4)
    logits = means @ kernel + bias
    assert evidence.total == pytest.approx(logits[2] - logits[[0, 1, 3]].mean(), abs=1e-4)
    assert evidence.places is not None
    assert evidence.places.sum() + evidence.bias == pytest.approx(evidence.total, abs=1e-4)


def test_a_network_that_ends_in_no_dense_layer_has_no_such_sum() -> None:
    values = np.ones((2, 2, 3), np.float32)
    only = Layer("map", LayerKind.CONVOLUTION, (), values)
    assert of_network(Inspected((only,)), 0) is None
