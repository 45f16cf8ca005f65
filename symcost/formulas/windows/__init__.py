"""Windows that slide: the positions that fall inside the input, as numbers and in closed form."""
