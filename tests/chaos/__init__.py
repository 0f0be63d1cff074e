"""The integration under fire: real Home Assistant, real cloud, and a proxy in between."""
