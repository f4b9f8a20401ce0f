"""The SQLite file in the state folder, and the tables that more than one part reads."""
