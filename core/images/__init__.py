"""From a file to an upright RGB image, or a reason why not; and finding the files."""
