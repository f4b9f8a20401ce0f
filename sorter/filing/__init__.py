"""From a file of a folder to its place among the filed ones."""
