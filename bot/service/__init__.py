"""What keeps the bot running: its token, its logs, its health."""
