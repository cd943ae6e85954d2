"""Two genre classifiers, the figures of a transfer, and the choice of a checkpoint."""
