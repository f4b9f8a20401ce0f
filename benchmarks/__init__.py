"""How fast catdog is and how much it takes, measured against what people use instead."""
