"""The measured rows, one a file."""
