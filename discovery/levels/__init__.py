"""What laws fix: states on a level set, distances of runs, and candidates beside laws."""
