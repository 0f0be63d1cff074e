"""How a device is reached: one file for each way."""
