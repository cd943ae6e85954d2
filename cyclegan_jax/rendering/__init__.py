"""What is seen and heard: PNGs, SVGs, sound, and the pages to listen to."""
