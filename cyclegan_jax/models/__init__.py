"""Flax modules, and how they are built and applied to phrases."""
