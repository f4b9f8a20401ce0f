"""What the pages that people open share: a base template, its parts, pictures inside the file."""
