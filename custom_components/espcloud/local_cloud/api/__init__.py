"""The cloud's paths, one family a file."""
