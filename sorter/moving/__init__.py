"""Files to their places: a photo and its sidecars, whole or not at all."""
