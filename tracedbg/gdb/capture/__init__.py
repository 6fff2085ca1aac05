"""Traces made from what a debugger stub shows of a running guest."""
