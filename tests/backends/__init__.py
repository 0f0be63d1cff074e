"""The ways to a device, and what they share: commands in turn, and asking within a budget."""
