"""Reading what people give: arguments, numbers, patterns, TOML, and what a mistyped name was meant to be."""
