"""The networks that can be trained, all from Keras's standard layers."""
