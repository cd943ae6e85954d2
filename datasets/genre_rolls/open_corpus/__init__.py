"""The open corpus: freely licensed sources, fetched at pinned commits, checked, and made MIDI."""
