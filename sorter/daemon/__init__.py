"""Sorts a folder for as long as it runs."""
