"""The kernel's view of a recording: stacks, address spaces, tasks, page owners, system calls, console."""
