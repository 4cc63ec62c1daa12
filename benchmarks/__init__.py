"""What is measured, against which target, and beside which simpler way: ``python -m benchmarks``."""
