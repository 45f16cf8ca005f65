"""What a program was seen to decide: conditions on its sizes that held while it was traced."""
