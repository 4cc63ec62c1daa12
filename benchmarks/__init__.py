"""What is measured, with its target and a simpler way beside it: ``python -m benchmarks``."""
