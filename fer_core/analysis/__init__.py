"""A whole media file -> a timeline of emotions: :func:`fer_core.analysis.analysis.analyze`."""
