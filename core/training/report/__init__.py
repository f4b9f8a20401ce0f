"""Pages, plots and sheets of photos about a training or a model."""
