"""Checks for what could go wrong, before anything does."""
