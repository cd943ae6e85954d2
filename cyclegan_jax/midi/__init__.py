"""MIDI files: reading them safely, their notes and events, songs, metre, and writing."""
