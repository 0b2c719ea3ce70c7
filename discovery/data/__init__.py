"""What comes in: runs, their coordinates, and the files that hold them."""
