"""The forms of convolutions that XLA runs fastest on a CPU."""
