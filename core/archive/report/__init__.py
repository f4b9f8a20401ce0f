"""What a table tells: counts in the terminal, and a page with photos of each kind."""
