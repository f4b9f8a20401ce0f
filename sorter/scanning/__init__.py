"""Which files of a folder are input."""
