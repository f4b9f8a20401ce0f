"""Charts show what they are given, on axes with round numbers."""

from __future__ import annotations

import numpy as np
import pytest

from core.pages.charts import HEIGHT, WIDTH, histogram, line_chart, ticks


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1.0]), (-3, 14, [0, 5, 10]), (5, 5, [5])],
)
def test_ticks_are_round_and_within(low: float, high: float, expected: list[float]) -> None:
    assert ticks(low, high) == expected


def test_epochs_have_whole_ticks() -> None:
    assert ticks(1, 4, whole=True) == [1, 2, 3, 4]
    assert ticks(1, 37, whole=True) == [1, 11, 21, 31]
    assert ticks(1, 15, whole=True) == [1, 4, 7, 10, 13]


def test_a_line_goes_through_its_values() -> None:
    chart = line_chart(
        {"training": [0.5, 0.9, 1.0], "validation": [0.5, 0.7, 0.6]},
        [1, 2, 3],
        x_title="epoch",
        y_title="accuracy",
        is_share=True,
        marked=(2, "best"),
    )
    training, validation = (line.points for line in chart.lines)
    assert [point.x for point in training] == [point.x for point in validation]
    assert training[0].y == validation[0].y > training[1].y > training[2].y >= chart.top
    assert validation[1].label == "validation, epoch 2: 70.0%"
    assert chart.marked == training[1].x
    assert all(0 <= point.x <= WIDTH and 0 <= point.y <= HEIGHT for point in training)
    assert [tick.label for tick in chart.x_ticks] == ["1", "2", "3"]
    assert "100 %" in [tick.label for tick in chart.y_ticks]


def test_one_epoch_and_equal_values_make_a_chart_all_the_same() -> None:
    chart = line_chart({"loss": [0.7]}, [1], x_title="epoch", y_title="loss")
    assert len(chart.lines[0].points) == 1
    assert chart.left <= chart.lines[0].points[0].x <= chart.right


def test_a_loss_that_is_no_number_is_left_out() -> None:
    """As of a training that went wrong."""
    chart = line_chart({"loss": [0.7, float("nan"), 0.6]}, [1, 2, 3], x_title="", y_title="")
    assert len(chart.lines[0].points) == 2


def test_a_histogram_counts_every_value() -> None:
    values = np.random.default_rng(2).normal(3, 2, 5000)
    shown = histogram(values, bins=30)
    counted = [int(bar.label.partition(" ")[0].replace(",", "")) for bar in shown.bars]
    assert sum(counted) == 5000
    assert shown.mean == pytest.approx(values.mean())
    assert shown.deviation == pytest.approx(values.std())
    highest = max(shown.bars, key=lambda bar: bar.height)
    assert abs(highest.x - shown.mean_at) < 60
