"""When photos were taken, from whatever tells it."""
