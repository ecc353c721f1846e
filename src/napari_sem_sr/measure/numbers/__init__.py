"""The numbers of one phase, each counted plane by plane or block by block."""
