"""A whole song in another genre, the trained model, and its file."""
