"""The process of a command: its end, its signals, its peers, its compiled programs, its tables."""
