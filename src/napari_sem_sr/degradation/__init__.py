"""HR -> LR in physical steps, and finding the steps that make teachers look like a real stack."""
