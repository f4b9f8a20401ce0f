"""What was done and what is about to be: written down, recovered, listed, taken back."""
