"""gdb at the other end: a remote server over a trace, and gdb sessions that are scripted."""
