"""Measures what tracedbg costs and how fast it answers, and writes it down: ``python -m benchmarks``."""
