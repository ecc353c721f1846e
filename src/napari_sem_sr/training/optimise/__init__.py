"""Networks as they learn: one step at a time, in any precision, with checkpoints."""
