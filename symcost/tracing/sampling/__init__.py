"""At which points a model is traced."""
