"""Loads, trains and measures the network that tells cats from dogs."""
