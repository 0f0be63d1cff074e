"""Home Assistants to measure, each a program: `python -m bench.instances.floor` and so on."""
