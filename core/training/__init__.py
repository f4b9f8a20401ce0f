"""Makes models: needs the extra `train`, which nothing else in catdog loads."""
