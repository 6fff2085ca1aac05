"""The replay screen: a Textual application over a session."""
