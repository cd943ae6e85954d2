"""Songs in and out of commands: paths, pages and the local page."""
