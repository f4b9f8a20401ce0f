"""Fitting a network with Keras: batches, augmentation, the loop, checkpoints."""
