"""A timeline as a file: one exporter each, and the names by which they are asked for."""

# Each is also the suffix of its files. Here, where nothing slow is imported.
FORMATS = ("csv", "json", "srt", "vtt", "png", "svg", "html", "mp4")
OVERLAY = "mp4"  # and the file itself, with results drawn into its picture
