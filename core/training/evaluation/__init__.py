"""How good a model is, on photos that it did not learn from."""
