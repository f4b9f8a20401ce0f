"""How a photo travels: from a message to what is asked, fetched, looked at, answered."""
