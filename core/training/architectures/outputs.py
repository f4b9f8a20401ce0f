"""What the outputs of networks are called."""

LOGITS = "logits"
ACTIVATION = "activation"
