"""All runs of a source of which a sample was searched: what they add to each law."""
