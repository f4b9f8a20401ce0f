"""Cameras' RAW files: which kind a file is, and where its own full-size JPEG preview lies.

Nothing here decodes a sensor's data. A file is read by seeks and small reads, never as a whole,
and the work is bounded whatever bytes come: directories, entries, boxes and segments are counted.
What is damaged counts as not there, for the preview may be found without it.
"""
