"""Home Assistant as the cloud, with simulated devices that were at another one before."""
