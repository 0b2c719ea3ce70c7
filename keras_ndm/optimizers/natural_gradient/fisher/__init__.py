"""The Fisher matrix of a model: at its outputs, and pulled back to its weights layer by layer."""
