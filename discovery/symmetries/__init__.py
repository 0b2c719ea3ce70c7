"""Vector fields and tensors that keep a metric."""
