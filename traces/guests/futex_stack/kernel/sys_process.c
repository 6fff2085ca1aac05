/* System calls on processes, time and power. */
#include "errno.h"
#include "exec.h"
#include "fs.h"
#include "layout.h"
#include "riscv.h"
#include "sbi.h"
#include "sched.h"
#include "syscall.h"
#include "user_memory.h"

/* clone(flags, stack, ...): a process, or with CLONE_VM a thread. */
int64_t sys_clone(const uint64_t *args)
{
	return task_clone((args[0] & CLONE_VM) != 0, args[1]);
}

/* execve(path, ...): programs get no arguments and no environment. */
int64_t sys_execve(const uint64_t *args)
{
	char path[PATH_MAX];
	int result = copy_string_from_user(path, args[0], sizeof(path));

	return result < 0 ? result : exec_program(current_task(), path);
}

int64_t sys_wait4(const uint64_t *args)
{
	int status = 0;
	int pid = task_wait((int)args[0], &status);

	if (pid > 0 && args[1]) {
		status = (status & 0xff) << 8;
		if (copy_to_user(args[1], &status, sizeof(status)) < 0)
			return -EFAULT;
	}
	return pid;
}

int64_t sys_exit(const uint64_t *args)
{
	task_exit((int)args[0]);
}

int64_t sys_sched_yield(const uint64_t *args)
{
	(void)args;
	yield_hart();
	return 0;
}

int64_t sys_clock_gettime(const uint64_t *args)
{
	uint64_t time = read_time();
	struct timespec now = {
		.tv_sec = (int64_t)(time / TIMEBASE_HZ),
		.tv_nsec = (int64_t)(time % TIMEBASE_HZ * (1000000000 / TIMEBASE_HZ)),
	};

	return copy_to_user(args[1], &now, sizeof(now));
}

int64_t sys_reboot(const uint64_t *args)
{
	(void)args;
	sbi_shutdown();
}
