"""A training run: its folder, its loop, its logs, its evaluation."""
