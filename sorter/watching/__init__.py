"""Sorting a folder for as long as the daemon runs."""
