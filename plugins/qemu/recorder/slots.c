/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "slots.h"

struct shared *shared;
struct slot *slot;
uint8_t *column_base[COLUMNS];

static int host = -1;
static sem_t answers; /* to what was asked */
static sem_t frees;   /* a slot may have become free */
static volatile bool host_gone;

static struct slot *slot_at(uint64_t index)
{
	return (struct slot *)((uint8_t *)shared + shared->slots_offset + index * shared->slot_size);
}

static void use_slot(uint64_t sequence, uint64_t first_t)
{
	slot = slot_at(sequence % shared->slots);
	memset(slot->count, 0, sizeof(slot->count));
	slot->sequence = sequence;
	slot->first_t = first_t;
	slot->end_t = first_t;
	slot->run_t = first_t;
	slot->run_index = 0;
	for (int i = 0; i < COLUMNS; i++)
		column_base[i] = (uint8_t *)slot + shared->column[i].offset;
	__atomic_store_n(&slot->state, SLOT_FILLING, __ATOMIC_RELEASE);
}

/* Reads the host's answers, so that its death is noticed at once, also while the guest sleeps. */
static void *listen_to_host(void *unused)
{
	char byte;

	(void)unused;
	for (;;) {
		ssize_t n = read(host, &byte, 1);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		sem_post(byte == 'f' ? &frees : &answers);
	}
	host_gone = true;
	sem_post(&answers);
	sem_post(&frees);
	kill(getpid(), SIGTERM);
	sleep(2);
	kill(getpid(), SIGKILL);
	return NULL;
}

static void tell(char what)
{
	while (send(host, &what, 1, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static void wait_for(sem_t *what)
{
	while (sem_wait(what) < 0 && errno == EINTR)
		;
}

static const char *map_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct stat status;

	if (fd < 0 || fstat(fd, &status) < 0)
		return "cannot open the file of slots";
	shared = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (shared == MAP_FAILED)
		return "cannot map the file of slots";
	if (shared->magic != SLOTS_MAGIC || shared->format_version != FORMAT_VERSION ||
	    shared->columns != COLUMNS)
		return "the file of slots is of another version of tracedbg";
	return NULL;
}

static const char *connect_to_host(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;
	sigset_t all, old;

	if (strlen(path) >= sizeof(address.sun_path))
		return "the path of the host's socket is too long";
	strcpy(address.sun_path, path);
	host = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (host < 0 || connect(host, (struct sockaddr *)&address, sizeof(address)) < 0)
		return "cannot reach the recording host";
	sem_init(&answers, 0, 0);
	sem_init(&frees, 0, 0);
	/* QEMU's own threads handle signals. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int failed = pthread_create(&thread, NULL, listen_to_host, NULL);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return failed ? "cannot start a thread" : NULL;
}

const char *slots_open(const char *path, const char *socket_path)
{
	const char *problem = map_file(path);

	if (!problem)
		problem = connect_to_host(socket_path);
	if (!problem)
		use_slot(0, 0);
	return problem;
}

static void tell_with(char what, int descriptor)
{
	union {
		struct cmsghdr header;
		char room[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec part = { .iov_base = &what, .iov_len = 1 };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};

	control.header.cmsg_level = SOL_SOCKET;
	control.header.cmsg_type = SCM_RIGHTS;
	control.header.cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(&control.header), &descriptor, sizeof(int));
	while (sendmsg(host, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

void slots_ask(char what, int descriptor)
{
	if (descriptor < 0)
		tell(what);
	else
		tell_with(what, descriptor);
	wait_for(&answers);
}

void slots_next(uint64_t end_t)
{
	uint64_t sequence = slot->sequence + 1;
	struct slot *next = slot_at(sequence % shared->slots);

	slot->end_t = end_t;
	__atomic_store_n(&slot->state, SLOT_FULL, __ATOMIC_RELEASE);
	tell('f');
	while (!host_gone && __atomic_load_n(&next->state, __ATOMIC_ACQUIRE) != SLOT_FREE)
		wait_for(&frees);
	/* Without a host nothing more may be overwritten: what is in the file is all that repair will have. */
	while (host_gone)
		pause();
	use_slot(sequence, end_t);
}

void slots_finish(uint64_t end_t, char why)
{
	slot->end_t = end_t;
	__atomic_store_n(&slot->state, SLOT_FULL, __ATOMIC_RELEASE);
	slots_ask(why, -1);
}

bool slots_nearly_full(void)
{
	for (int i = 0; i < COLUMNS; i++) {
		if (slot->count[i] > shared->column[i].capacity - shared->column[i].capacity / 4)
			return true;
	}
	return false;
}
