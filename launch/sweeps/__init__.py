"""Several runs side by side, and the tables of them."""
