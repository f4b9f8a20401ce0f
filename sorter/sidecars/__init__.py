"""Sidecars: which files are of which photo, by their names and by what is in them."""
