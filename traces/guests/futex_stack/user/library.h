/* What programs have instead of a C library. */
#ifndef LIBRARY_H
#define LIBRARY_H

#include "errno.h"
#include "string.h"
#include "syscall.h"
#include "user_layout.h"

#define CONSOLE 1
#define MILLISECOND 1000000L

long open_file(const char *path);
long close_file(long fd);
long read_bytes(long fd, void *buffer, size_t size);
long read_bytes_at(long fd, long offset, void *buffer, size_t size);
void print(const char *text);
void print_number(long value);
_Noreturn void exit_program(int status);
_Noreturn void power_off(void);

/* Up to `size` bytes of the file at `path`; how many, or a negative error. */
long read_file(const char *path, void *buffer, size_t size);

/* A child process: 0 in the child. */
long fork_process(void);

/* A thread in the same memory, running `function` on a stack that ends at `stack_top`. */
long start_thread(void (*function)(void), void *stack_top);

long execute(const char *path);

/* Wait for a child (any when pid is -1); its exit status in *status. */
long wait_child(long pid, int *status);

long futex_wait(const uint32_t *word, uint32_t expected, const struct timespec *timeout);
long futex_wake(const uint32_t *word, long count);
long monotonic_milliseconds(void);

#endif
