/* The console: a 16550 UART, and formatted messages of the kernel on it. */
#ifndef CONSOLE_H
#define CONSOLE_H

#include "types.h"

void console_write(const char *text, size_t size);

/* Formats %s, %d (int), %u (uint64_t), %x (uint64_t, with 0x). */
void printk(const char *format, ...);

/* Say why, then power off. */
_Noreturn void panic(const char *format, ...);

#endif
