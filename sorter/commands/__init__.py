"""The commands that sort, watch, list what was done and take it back."""
