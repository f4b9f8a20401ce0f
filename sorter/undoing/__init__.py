"""History, recovery after a kill, undo, and corrections by people."""
