"""All evidence on one slice, added up to a stack; what is kept on disk on the way."""
