"""Tells what could go wrong before anything does."""
