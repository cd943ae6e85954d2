"""What launch.benchmark times."""
