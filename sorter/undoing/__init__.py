"""What was done: listed, finished after a kill, taken back, corrected by people."""
