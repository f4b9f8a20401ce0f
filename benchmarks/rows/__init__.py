"""The rows of RESULTS.md, each with `measure(setting) -> list[Figure]`."""
