"""Classes named after training folders."""

from __future__ import annotations

from core.labels import Role, classes_from_folders, in_order


def test_cats_dogs_and_other_have_their_own_names_and_order() -> None:
    classes = classes_from_folders(["other", "dogs", "cats"])
    assert [(c.label, c.folder, c.role) for c in classes] == [
        ("cat", "cats", Role.FILE),
        ("dog", "dogs", Role.FILE),
        ("other", "other", Role.NEITHER),
    ]


def test_any_other_folder_is_a_class_of_its_own_name() -> None:
    classes = classes_from_folders(["rabbits", "other", "birds", "dogs"])
    assert [c.label for c in classes] == ["dog", "birds", "rabbits", "other"]
    assert classes[1].role is Role.FILE


def test_both_is_left_and_comes_last() -> None:
    classes = classes_from_folders(["both", "rabbits", "other", "cats"])
    assert [(c.label, c.role) for c in classes] == [
        ("cat", Role.FILE),
        ("rabbits", Role.FILE),
        ("other", Role.NEITHER),
        ("both", Role.BOTH),
    ]
    assert in_order(reversed(classes)) == classes


def test_classes_are_sure_of_nothing_until_they_are_calibrated() -> None:
    classes = classes_from_folders(["cats", "dogs", "other"])
    assert [one.threshold for one in classes] == [1.0, 1.0, 1.0]
