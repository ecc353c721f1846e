"""Answer checking: one module per kind of evidence, suspect regions, the report."""
