"""Making models: what the presets weigh, and the command line of ``train.py``."""
