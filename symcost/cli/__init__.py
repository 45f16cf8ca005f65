"""The command line: a verb a file, each parses, calls and prints."""
