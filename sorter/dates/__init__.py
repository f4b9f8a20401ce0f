"""When photos were taken, from whatever states it."""
