"""Images never learned from: scores, the choice of a network, and signs that a training has lost its way."""
