"""Home Assistants to measure, each a program: `python -m bench.houses.floor` and so on."""
