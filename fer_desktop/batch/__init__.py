"""Many recordings from the window: a process of its own that does what ``fer-analyze`` does."""
