"""From a prepared dataset to the batches of a step."""
