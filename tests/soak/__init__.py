"""A long run of local mode: a real Home Assistant, a house full of devices, faults, `kill -9`."""
