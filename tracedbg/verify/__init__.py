"""Proof that a trace is true: everything in it is computed again, from the file alone, and compared.

This reader shares nothing with the recorder, nor with store and query, but the bytes of messages.
"""
