"""The journal: what was done and what is about to be, and what of it stands."""
