/* The table of system calls. */
#include "errno.h"
#include "sched.h"
#include "syscall.h"

struct syscall_entry {
	uint64_t number;
	int64_t (*function)(const uint64_t *args);
};

static const struct syscall_entry syscalls[] = {
	{ SYS_OPENAT, sys_openat },
	{ SYS_CLOSE, sys_close },
	{ SYS_READ, sys_read },
	{ SYS_WRITE, sys_write },
	{ SYS_PREAD64, sys_pread64 },
	{ SYS_EXIT, sys_exit },
	{ SYS_FUTEX, sys_futex },
	{ SYS_CLOCK_GETTIME, sys_clock_gettime },
	{ SYS_SCHED_YIELD, sys_sched_yield },
	{ SYS_REBOOT, sys_reboot },
	{ SYS_CLONE, sys_clone },
	{ SYS_EXECVE, sys_execve },
	{ SYS_WAIT4, sys_wait4 },
};

void syscall_dispatch(struct trap_frame *frame)
{
	uint64_t number = frame->a[7];
	int64_t result = -ENOSYS;

	for (size_t i = 0; i < array_length(syscalls); i++) {
		if (syscalls[i].number == number) {
			result = syscalls[i].function(frame->a);
			break;
		}
	}
	/* A task that runs a new program starts with the registers that execve gave it. */
	if (number != SYS_EXECVE || result != 0)
		frame->a[0] = (uint64_t)result;
}
