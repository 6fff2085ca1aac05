/* Futexes, keyed by the physical address of their word. */
#include "address_space.h"
#include "errno.h"
#include "layout.h"
#include "riscv.h"
#include "sched.h"
#include "syscall.h"
#include "user_memory.h"

#define NANOSECONDS 1000000000L
#define LONGEST_WAIT (1L << 32) /* seconds; keeps the sum of times in range */

/* Read a relative timeout from the user and make it a point in time. */
static int read_timeout(vaddr_t address, uint64_t *deadline)
{
	struct timespec timeout;

	*deadline = NO_DEADLINE;
	if (!address)
		return 0;
	if (copy_from_user(&timeout, address, sizeof(timeout)) < 0)
		return -EFAULT;
	if (timeout.tv_sec < 0 || timeout.tv_nsec < 0 || timeout.tv_nsec >= NANOSECONDS)
		return -EINVAL;
	if (timeout.tv_sec < LONGEST_WAIT)
		*deadline = read_time() + (uint64_t)timeout.tv_sec * TIMEBASE_HZ +
			    (uint64_t)timeout.tv_nsec / (NANOSECONDS / TIMEBASE_HZ);
	return 0;
}

static int64_t futex_wait(vaddr_t address, const void *key, uint32_t expected, vaddr_t timeout_address)
{
	uint64_t deadline;
	uint32_t value;
	int error = read_timeout(timeout_address, &deadline);

	if (error)
		return error;
	if (copy_from_user(&value, address, sizeof(value)) < 0)
		return -EFAULT;
	if (value != expected)
		return -EAGAIN;
	return sleep_on(key, deadline) ? 0 : -ETIMEDOUT;
}

/* futex(word, operation, value, timeout). */
int64_t sys_futex(const uint64_t *args)
{
	paddr_t key = address_space_translate(current_task()->space, args[0], PTE_R);

	if (!key || args[0] % sizeof(uint32_t))
		return -EFAULT;
	switch (args[1] & FUTEX_OP_MASK) {
	case FUTEX_WAIT:
		return futex_wait(args[0], (const void *)key, (uint32_t)args[2], args[3]);
	case FUTEX_WAKE:
		return wake_some((const void *)key, (int)args[2]);
	default:
		return -ENOSYS;
	}
}
