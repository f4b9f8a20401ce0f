"""What the bot says, in several languages."""
