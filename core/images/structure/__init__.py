"""What a file's own structure says of its image, before anything is decoded."""
