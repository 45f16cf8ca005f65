"""Claims about costs, checked: whether each is right, what is right, and why it is not."""
