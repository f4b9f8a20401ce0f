"""From an upright RGB image to a verdict, and which model on this machine serves."""
