"""One family of layers a file: the textbook's formulas, symbolic in everything."""
