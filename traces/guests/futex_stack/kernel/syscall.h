/* System calls, with the numbers and conventions of Linux on riscv64. */
#ifndef SYSCALL_H
#define SYSCALL_H

#include "trap_frame.h"
#include "types.h"

#define SYS_OPENAT 56
#define SYS_CLOSE 57
#define SYS_READ 63
#define SYS_WRITE 64
#define SYS_PREAD64 67
#define SYS_EXIT 93
#define SYS_FUTEX 98
#define SYS_CLOCK_GETTIME 113
#define SYS_SCHED_YIELD 124
#define SYS_REBOOT 142
#define SYS_CLONE 220
#define SYS_EXECVE 221
#define SYS_WAIT4 260

#define FUTEX_WAIT 0
#define FUTEX_WAKE 1
#define FUTEX_OP_MASK 0x7f

#define CLONE_VM 0x100

struct timespec {
	int64_t tv_sec;
	int64_t tv_nsec;
};

/* Run the call that the frame's registers ask for; the result goes into its a0. */
void syscall_dispatch(struct trap_frame *frame);

int64_t sys_openat(const uint64_t *args);
int64_t sys_close(const uint64_t *args);
int64_t sys_read(const uint64_t *args);
int64_t sys_pread64(const uint64_t *args);
int64_t sys_write(const uint64_t *args);
int64_t sys_exit(const uint64_t *args);
int64_t sys_futex(const uint64_t *args);
int64_t sys_clock_gettime(const uint64_t *args);
int64_t sys_sched_yield(const uint64_t *args);
int64_t sys_reboot(const uint64_t *args);
int64_t sys_clone(const uint64_t *args);
int64_t sys_execve(const uint64_t *args);
int64_t sys_wait4(const uint64_t *args);

#endif
