"""What a cost is: additive counts under named conventions, tables of them, their names, sizes and saved files."""
