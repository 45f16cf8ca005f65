"""Questions asked backwards: the largest size under a limit, and how an answer moves with a symbol."""
