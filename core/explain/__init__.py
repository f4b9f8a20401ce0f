"""A photo's way through a network, made into a page."""
