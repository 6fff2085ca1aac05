"""The command line: one file for each subcommand, over the same core as every other front end."""
