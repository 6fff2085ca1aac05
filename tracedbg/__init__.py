"""tracedbg: a trace-driven, post-mortem debugger for operating-system kernels under QEMU."""

__version__ = "0.1.0"
