/* /init: starts the programs of the smoke test and judges it. */
#include "getty.h"
#include "library.h"

#define WATCHDOG_SECONDS 6
#define STACK_WORDS 64

static uint64_t watchdog_stack[STACK_WORDS];
static uint32_t finished;

static _Noreturn void fail(void)
{
	print("Smoke test failed: /etc/issue banner not found\n");
	power_off();
}

static void watch(void)
{
	const struct timespec limit = { .tv_sec = WATCHDOG_SECONDS };

	if (futex_wait(&finished, 0, &limit) == -ETIMEDOUT)
		fail();
}

/* A child, or with a function a thread; negative when memory for it cannot be had. */
static long start(void (*thread)(void))
{
	long pid = thread ? start_thread(thread, watchdog_stack + STACK_WORDS) : fork_process();

	if (pid < 0)
		print("init: clone: NoMem\n");
	return pid;
}

/* How many scanners more there are: 1 or 0. */
static int start_scanner(void)
{
	long pid = start(NULL);

	if (pid == 0) {
		execute("/bin/scan");
		exit_program(1);
	}
	return pid > 0;
}

static long start_getty(void)
{
	long pid = start(NULL);

	if (pid == 0)
		exit_program(run_getty());
	if (pid < 0)
		fail();
	return pid;
}

/* Start a new scanner when the last one ends, until the getty has ended; its exit status. */
static int run_until_ended(long getty, int scanners)
{
	int status;

	while (wait_child(-1, &status) != getty)
		if (--scanners <= 0)
			scanners = start_scanner();
	return status;
}

int main(void)
{
	int scanners;
	long getty;

	print("init: start\n");
	if (start(watch) < 0)
		fail();
	scanners = start_scanner();
	getty = start_getty();
	scanners += start_scanner();
	if (run_until_ended(getty, scanners) != 0)
		fail();
	finished = 1;
	futex_wake(&finished, 1);
	print("smoke test ok\n");
	power_off();
}
