"""Classes named after training folders."""

from __future__ import annotations

from core.labels import Role, classes_from_folders


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
