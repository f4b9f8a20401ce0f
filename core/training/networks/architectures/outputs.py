"""What the outputs of networks are called, and the layer that people must know of."""

LOGITS = "logits"
ACTIVATION = "activation"
RESCALING = "rescaling_from_0_to_255"
