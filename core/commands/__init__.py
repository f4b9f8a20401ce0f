"""The commands that predict, train, measure, and keep models and feedback."""
