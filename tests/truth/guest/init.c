/* The first process of a Linux guest: waits, forks, pipes, says what it saw, and powers off. */

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define LENGTH 65536

/* PID 1 starts without files open when the archive holds no /dev/console; this makes one. */
static void open_console(void)
{
	mkdir("/dev", 0755);
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	for (int descriptor = 0; descriptor < 3; descriptor++) {
		int opened = open("/dev/console", O_RDWR);

		if (opened > 2)
			close(opened);
	}
}

static void wait_on_futex(void)
{
	static uint32_t word = 7;
	struct timespec limit = { .tv_sec = 0, .tv_nsec = 20000000 };
	long result = syscall(SYS_futex, &word, FUTEX_WAIT, 7, &limit, NULL, 0);

	printf("truth: futex %s\n", result == -1 && errno == ETIMEDOUT ? "timed out" : "WRONG");
}

static uint32_t mix(uint32_t sum, const unsigned char *bytes, ssize_t count)
{
	for (ssize_t i = 0; i < count; i++)
		sum = (sum << 5 | sum >> 27) ^ bytes[i];
	return sum;
}

/* The child writes a pattern into a pipe, the parent adds it up. */
static void pipe_from_child(void)
{
	static unsigned char bytes[LENGTH];
	unsigned char part[1000];
	uint32_t expected, sum = 0;
	int ends[2], status = -1;
	ssize_t count;
	pid_t child;

	for (int i = 0; i < LENGTH; i++)
		bytes[i] = (unsigned char)(i * 7 + i / 251);
	expected = mix(0, bytes, LENGTH);
	if (pipe(ends) < 0)
		return;
	child = fork();
	if (child == 0) {
		close(ends[0]);
		_exit(write(ends[1], bytes, LENGTH) == LENGTH ? 42 : 1);
	}
	close(ends[1]);
	while ((count = read(ends[0], part, sizeof(part))) > 0)
		sum = mix(sum, part, count);
	waitpid(child, &status, 0);
	printf("truth: pipe %s\n", sum == expected ? "whole" : "WRONG");
	printf("truth: child left %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : -1);
}

int main(void)
{
	open_console();
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("truth: init on %ld harts\n", sysconf(_SC_NPROCESSORS_ONLN));
	wait_on_futex();
	pipe_from_child();
	printf("truth: done\n");
	reboot(RB_POWER_OFF);
	return 1;
}
