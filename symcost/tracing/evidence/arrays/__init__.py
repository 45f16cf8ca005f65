"""Arrays of numpy's whose sizes or numbers are made of symbolic sizes."""
