#include "kernel.h"

#define CAUSE_TIMER (INTERRUPT | 5)
#define SLICE 200
#define REPLY_REGISTERS 3

enum state { ABSENT, READY, RUNNING, SENDING, RECEIVING, WAITING_FOR_REPLY };

const uint64_t linear_offset;
struct kernel kernel;

static volatile int is_locked, is_ready;

__attribute__((noreturn)) void resume(struct thread *thread);
void wait_for_interrupts(void);

static void lock(void)
{
	while (__atomic_exchange_n(&is_locked, 1, __ATOMIC_ACQUIRE))
		;
}

static void start_timer(void)
{
	csr_write(0x14d, csr_read(time) + SLICE); /* stimecmp */
}

void thread_create(long number)
{
	struct thread *thread = &kernel.threads[number];
	uint64_t root = space_create_user();
	thread->buffer = frame_take_zeroed();
	space_map(root, BUFFER, thread->buffer, PTE_USER_DATA);
	thread->epc = USER_TEXT;
	thread->x[2] = USER_STACK + PAGE;
	thread->x[10] = (uint64_t)number;
	thread->status = SSTATUS_SPIE;
	thread->satp = SATP_SV39 | root >> 12;
	thread->state = READY;
}

static void pass_message(struct thread *from, struct thread *to)
{
	memcpy((void *)to->buffer, (void *)from->buffer, BUFFER_WORDS * 8);
	for (int place = 0; place < REPLY_REGISTERS; place++)
		to->x[11 + place] = from->x[11 + place];
	to->x[10] = (uint64_t)(from - kernel.threads);
	to->state = READY;
	from->state = WAITING_FOR_REPLY;
	from->partner = to;
}

static void send(struct thread *from)
{
	struct thread *to = look_up(from->x[10], (long)from->x[13]);
	from->partner = to;
	from->state = SENDING;
	if (to->state == RECEIVING)
		pass_message(from, to);
}

static void reply_and_receive(struct thread *server)
{
	struct thread *client = &kernel.threads[server->x[10]];
	if (client->state == WAITING_FOR_REPLY && client->partner == server) {
		client->x[10] = server->x[11];
		client->state = READY;
	}
	server->state = RECEIVING;
	for (struct thread *other = kernel.threads; other < kernel.threads + THREADS; other++)
		if (other->state == SENDING && other->partner == server) {
			pass_message(other, server);
			return;
		}
}

static int threads_left(void)
{
	int left = 0;
	for (struct thread *thread = kernel.threads; thread < kernel.threads + THREADS; thread++)
		left += thread->state != ABSENT && thread->state != RECEIVING;
	return left;
}

static void serve(struct thread *thread)
{
	thread->epc += 4;
	switch (thread->x[17]) {
	case CALL_CALL:
		send(thread);
		break;
	case CALL_REPLY_AND_RECEIVE:
		reply_and_receive(thread);
		break;
	case CALL_EXIT:
		if (thread->x[10])
			finish("wrong answer");
		thread->state = ABSENT;
		if (!threads_left())
			finish("ok");
	}
}

/* Goes on with the next thread after `last` that is ready, or idles. */
__attribute__((noreturn)) static void schedule(struct thread *last, int hart)
{
	struct thread *next = &kernel.idle[hart];
	long place = last >= kernel.threads && last < kernel.threads + THREADS ? last - kernel.threads : 0;
	for (int step = 1; step <= THREADS; step++) {
		struct thread *thread = &kernel.threads[(place + step) % THREADS];
		if (thread->state == READY) {
			next = thread;
			break;
		}
	}
	next->state = RUNNING;
	next->hart = hart;
	next->kernel_sp = (uint64_t)kernel.stacks[hart + 1];
	__atomic_store_n(&is_locked, 0, __ATOMIC_RELEASE);
	resume(next);
}

__attribute__((noreturn)) void handle_trap(struct thread *thread)
{
	uint64_t cause = csr_read(scause);
	lock();
	if (cause == CAUSE_USER_ECALL)
		serve(thread);
	else if (cause != CAUSE_TIMER)
		panic_on_trap(cause, thread->epc, csr_read(stval));
	if (thread->state == RUNNING)
		thread->state = READY;
	start_timer();
	schedule(thread, thread->hart);
}

static void start_idle_thread(int hart)
{
	extern char boot_root[];
	struct thread *idle = &kernel.idle[hart];
	idle->epc = (uint64_t)wait_for_interrupts;
	idle->status = SSTATUS_SPP | SSTATUS_SPIE;
	idle->satp = SATP_SV39 | (uint64_t)boot_root >> 12;
}

void kernel_main(int hart)
{
	start_idle_thread(hart);
	if (!hart) {
		setup();
		is_ready = 1;
	}
	while (!is_ready)
		;
	csr_set(sie, SIE_TIMER);
	start_timer();
	lock();
	schedule(&kernel.idle[hart], hart);
}
