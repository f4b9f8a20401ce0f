"""The review page and its server, for whoever has the token."""
