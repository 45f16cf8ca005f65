"""Which module and operation a count belongs to, and what two programs differ by."""
