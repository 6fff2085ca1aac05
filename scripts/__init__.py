"""What make needs before the project itself is installed: the standard library only."""
