"""Calling Telegram, and being called: updates in, answers out, files down."""
