"""`genre_rolls`: four-bar piano rolls by genre, as a TFDS dataset."""
