"""How the noise of measurements is made: from sample to sample, and with the size of a value."""
