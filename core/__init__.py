"""Loads, trains and measures the model that tells cats from dogs."""
