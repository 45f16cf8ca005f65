"""Reports of other results than cost tables: verdicts, gates, differences, estimates, designs."""
