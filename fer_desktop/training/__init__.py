"""Training from the window: a process of its own that does what ``train.py`` does."""
