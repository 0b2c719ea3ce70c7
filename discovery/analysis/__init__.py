"""States: from runs in a frame to a report on their laws."""
