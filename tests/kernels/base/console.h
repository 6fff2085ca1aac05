/* The serial port, and the ways for a kernel to end. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "riscv.h"

/* Defined by each design: what is to be added to a physical address to reach it. */
extern const uint64_t linear_offset;

void print(const char *text);
void print_hex(uint64_t value);
__attribute__((noreturn)) void power_off(void);
__attribute__((noreturn)) void finish(const char *last_line);
__attribute__((noreturn)) void panic(const char *why, uint64_t value);
__attribute__((noreturn)) void panic_on_trap(uint64_t cause, uint64_t pc, uint64_t address);

#endif
