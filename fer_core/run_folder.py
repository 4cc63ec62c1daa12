"""The files by which a run's folder tells others how far its training is."""

RUN_NAME = "run.json"  # written first: what the run is, by which it goes on
METRICS_NAME = "metrics.json"  # written last: a run that has it is complete
