"""Laws in use: equations of motion from conserved quantities, fits of them, and forecasts."""
