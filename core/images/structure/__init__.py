"""What a file's own structure states of its image, before anything is decoded."""
