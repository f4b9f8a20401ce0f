"""Training whole networks with Keras: from scratch, or from ImageNet's weights."""
