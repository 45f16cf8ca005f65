"""The verbs that search: the best configurations of a space, the best plans of so many chips."""
