"""CycleGAN for symbolic music, in JAX."""

__version__ = "0.1.0"
