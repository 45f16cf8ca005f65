"""What a program that is recorded finds in the place of Python's own: types, functions of numbers, ranges."""
