"""What tests share: files, runs, processes, browsers."""
