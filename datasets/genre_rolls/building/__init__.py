"""The two ways of a build, local and on Beam, and what it shows."""
