"""The objective, the train step, its state, devices and checkpoints."""
