"""What each kind of device is: pure, so that all values can be tried."""
