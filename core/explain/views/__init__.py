"""What the page shows: pictures and numbers made from what was found."""
