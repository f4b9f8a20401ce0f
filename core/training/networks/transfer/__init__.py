"""Learning cats and dogs without forgetting what ImageNet taught."""
