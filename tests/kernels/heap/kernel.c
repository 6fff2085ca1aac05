#include "kernel.h"

#define CAUSE_MACHINE_ECALL 11
#define CAUSE_SOFTWARE (INTERRUPT | 3)
#define CAUSE_TIMER (INTERRUPT | 7)
#define MIE_SOFTWARE (1UL << 3)
#define MIE_TIMER (1UL << 7)
#define MSTATUS_MIE (1UL << 3)
#define MSTATUS_MPIE (1UL << 7)
#define MSTATUS_MPP_M (3UL << 11)
#define SOFTWARE_INTERRUPT ((volatile uint32_t *)0x2000000)
#define TIME_COMPARE ((volatile uint64_t *)0x2004000)
#define TIME ((volatile uint64_t *)0x200bff8)
#define SLICE 100

const uint64_t linear_offset;

static struct task *first;

void start_first_task(void);

static void begin_task(struct task *task)
{
	task->entry(task->argument);
	task_exit();
}

struct task *task_create(const char *name, void (*entry)(void *), void *argument, uint64_t stack_size)
{
	uint64_t before = disable_interrupts();
#ifdef BLOCK_BELOW_STACK
	struct task *task = heap_take(sizeof(*task));
	char *stack = heap_take(stack_size);
#else
	char *stack = heap_take(stack_size);
	struct task *task = heap_take(sizeof(*task));
#endif
	memset(stack, STACK_FILL, stack_size);
	memset(task, 0, sizeof(*task));
	struct frame *frame = (struct frame *)(stack + stack_size) - 1;
	frame->x[1] = 0;
	__asm__("mv %0, gp" : "=r"(frame->x[3]));
	frame->x[10] = (uint64_t)task;
	frame->epc = (uint64_t)begin_task;
	frame->status = MSTATUS_MPP_M | MSTATUS_MPIE;
	*task = (struct task){ .frame = frame,
			       .next = first,
			       .stack = stack,
			       .stack_size = stack_size,
			       .entry = entry,
			       .argument = argument };
	for (int place = 0; place < 7 && name[place]; place++)
		task->name[place] = name[place];
	first = task;
	restore_interrupts(before);
	return task;
}

struct task *current_task(void)
{
	return running;
}

uint64_t disable_interrupts(void)
{
	uint64_t before = csr_read(mstatus) & MSTATUS_MIE;
	csr_clear(mstatus, MSTATUS_MIE);
	return before;
}

void restore_interrupts(uint64_t before)
{
	csr_set(mstatus, before);
}

/* A task that has ended is taken out here; whoever creates or waits for tasks gives its memory back. */
static void choose_next(void)
{
	do
		running = running->next ? running->next : first;
	while (running->has_ended || running->is_waiting);
}

static void bury(void)
{
	for (struct task **link = &first; *link; link = &(*link)->next)
		if ((*link)->has_ended && *link != running) {
			struct task *dead = *link;
			*link = dead->next;
			heap_give(dead->stack);
			heap_give(dead);
			return;
		}
}

void yield(void)
{
	register uint64_t a7 __asm__("a7") = 0;
	uint64_t before = disable_interrupts();
	bury();
	restore_interrupts(before);
	__asm__ volatile("ecall" ::"r"(a7) : "memory");
}

void task_exit(void)
{
	disable_interrupts();
	running->has_ended = 1;
	__asm__ volatile("ecall" ::: "memory");
	panic("a task that has ended runs", (uint64_t)running);
}

uint64_t receive(void)
{
	volatile uint64_t word = 0;
	uint64_t before = disable_interrupts();
	running->place_of_word = &word;
	running->is_waiting = 1;
	__asm__ volatile("ecall" ::: "memory");
	restore_interrupts(before);
	return word;
}

/* What waits finds the word in its variable, and in a register too: the number of who sent it. */
void send(struct task *to, uint64_t word)
{
	while (!to->is_waiting)
		yield();
	uint64_t before = disable_interrupts();
	*to->place_of_word = word;
	to->frame->x[10] = 1;
	to->is_waiting = 0;
	restore_interrupts(before);
}

uint64_t stack_room(const struct task *task)
{
	uint64_t room = 0;
	while (room < task->stack_size && task->stack[room] == (char)STACK_FILL)
		room++;
	return room;
}

__attribute__((weak)) void tick(void)
{
}

__attribute__((weak)) int handle_fault(struct frame *frame, uint64_t cause)
{
	(void)frame, (void)cause;
	return 0;
}

static void start_timer(void)
{
	*TIME_COMPARE = *TIME + SLICE;
	csr_set(mie, MIE_TIMER | MIE_SOFTWARE);
}

/* The timer asks for the second interrupt, which comes while the first one is still handled. */
void handle_trap(uint64_t cause, struct frame *frame)
{
	if (cause == CAUSE_TIMER) {
		start_timer();
		if (nesting > 1)
			return;
		*SOFTWARE_INTERRUPT = 1;
		csr_set(mstatus, MSTATUS_MIE);
		tick();
		csr_clear(mstatus, MSTATUS_MIE);
		choose_next();
	} else if (cause == CAUSE_SOFTWARE) {
		*SOFTWARE_INTERRUPT = 0;
	} else if (cause == CAUSE_MACHINE_ECALL) {
		running->frame->epc += 4;
		choose_next();
	} else if (!handle_fault(frame, cause)) {
		panic_on_trap(cause, frame->epc, csr_read(mtval));
	}
}

void kernel_main(void)
{
	setup();
	running = first;
	start_timer();
	start_first_task();
}
