"""Answers photos in Telegram."""
