"""Training the head: in seconds, from a person's photos and the replay set, without Keras."""
