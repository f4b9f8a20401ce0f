"""From a message with a photo to its answer."""
