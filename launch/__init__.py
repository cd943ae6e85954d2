"""The commands: `python -m launch.prepare`, `train`, `classify`, `evaluate` and `transfer`."""
