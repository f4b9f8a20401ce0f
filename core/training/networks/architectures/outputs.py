"""Names of the outputs of networks, and of the layer that people must know."""

LOGITS = "logits"
ACTIVATION = "activation"
RESCALING = "rescaling_from_0_to_255"
