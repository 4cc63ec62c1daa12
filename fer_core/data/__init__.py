"""From a corpus on disk to batches: what is in it, how it is split, decoded and varied."""
