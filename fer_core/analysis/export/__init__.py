"""A timeline as a file: one exporter each, and the names by which they are asked for."""
