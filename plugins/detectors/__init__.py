"""The detectors that come with tracedbg, one file each."""
