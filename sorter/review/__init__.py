"""A page on this machine for what the model is unsure of: a key for each photo, and it is filed."""
