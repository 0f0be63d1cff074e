"""Those who talk to what is measured, each a program of its own."""
