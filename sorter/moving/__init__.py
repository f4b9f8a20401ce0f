"""Files to their places: a photo and all that belongs to it, whole or not at all."""
