"""A jazz quartet around a transcribed solo: walking bass as annotated, comping and ride of our own."""
