"""A vector becomes a formula: sparse, of simple numbers; used by laws and by symmetries."""
