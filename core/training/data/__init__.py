"""Labelled photos: where they lie, what they are, which are the same, and their pixels."""
