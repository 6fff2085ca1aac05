"""Recording: a QEMU, its plugin, and the host process that turns columns into a trace."""
