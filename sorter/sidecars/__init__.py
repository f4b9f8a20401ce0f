"""Which files belong to a photo, by their names and by what they say."""
