"""From files to phrases: MIDI folders, arrays, worker processes, splits, statistics."""
