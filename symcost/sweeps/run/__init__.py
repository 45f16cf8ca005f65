"""A sweep as a run that may be resumed: tasks, workers, parts on disk."""
