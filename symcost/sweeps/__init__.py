"""Design spaces: closed forms evaluated exactly over every combination of their symbols' values."""
