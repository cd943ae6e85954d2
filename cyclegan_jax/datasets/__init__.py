"""The parts of the package that live in the folder `datasets/` of the repository."""
