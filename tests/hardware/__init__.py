"""The devices that an account has: simulated firmware at a real cloud, and Home Assistant."""
