"""What the bot remembers: in the store, never in the process alone."""
