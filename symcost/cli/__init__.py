"""The command line: a file for each verb, or for verbs of one kind; each parses, calls and prints."""
