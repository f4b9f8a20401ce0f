"""From a fitted network to the LiteRT file that is served, and its check."""
