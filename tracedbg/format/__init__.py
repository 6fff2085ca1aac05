"""Bytes of a trace: what columns there are, how they are packed, and how the file holds them."""
