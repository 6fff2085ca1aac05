"""RISC-V, 64 bits."""
