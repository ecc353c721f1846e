"""One slice on any device, in tiles that leave no trace."""
