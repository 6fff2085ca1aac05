/*
 * Pages that are shared after a fork until one side stores, and pages that come when they are first touched.
 * With FORGET_SHARERS the side that stores gives back the page that the other one goes on to use.
 */
#include "kernel.h"

#define CALL_GROW_LAZILY CALL_OWN
#define CALL_FILL (CALL_OWN + 1)
#define PTE_SHARED (1UL << 8)
#define NUMBER(page) (((page)-RAM_START) / PAGE)

static volatile uint8_t more_users[(RAM_END - RAM_START) / PAGE];

void user_copy(uint64_t from, uint64_t to, uint64_t size)
{
	for (uint64_t virtual = USER_TEXT; virtual < USER_TEXT + size; virtual += PAGE) {
		uint64_t *entry = entry_of(from, virtual, 0);
		if (!entry || !*entry)
			continue;
		if (*entry & PTE_W)
			*entry = (*entry & ~PTE_W) | PTE_SHARED;
		more_users[NUMBER(PTE_PHYSICAL(*entry))]++;
		map(to, virtual, PTE_PHYSICAL(*entry), *entry & 0x3ff);
	}
}

void user_page_give(uint64_t page)
{
	if (more_users[NUMBER(page)])
		more_users[NUMBER(page)]--;
	else
		page_give(page);
}

static void copy_shared(uint64_t *entry)
{
	uint64_t old = PTE_PHYSICAL(*entry), copy = page_take();
	memcpy((void *)copy, (void *)old, PAGE);
	*entry = PTE_OF(copy, ((*entry & 0x3ff) | PTE_W) & ~PTE_SHARED);
	truth.victim = old;
	truth.victim_size = PAGE;
#ifdef FORGET_SHARERS
	page_give(old);
#else
	user_page_give(old);
#endif
}

int handle_fault(uint64_t cause, uint64_t address)
{
	const struct process *process = current();
	if (address < USER_TEXT || address >= USER_TEXT + process->size || cause < CAUSE_LOAD_PAGE_FAULT)
		return 0;
	uint64_t *entry = entry_of(process->root, address, 1);
	if (*entry == 0) {
		uint64_t page = page_take();
		memset((void *)page, 0, PAGE);
		map(process->root, address, page, PTE_R | PTE_W | PTE_U);
		return 1;
	}
	if (cause != CAUSE_STORE_PAGE_FAULT || !(*entry & PTE_SHARED))
		return 0;
	copy_shared(entry);
	return 1;
}

uint64_t user_page_for_store(uint64_t root, uint64_t virtual)
{
	const uint64_t *entry = entry_of(root, virtual, 0);
	if (!entry || !(*entry & PTE_W)) {
		if (!handle_fault(CAUSE_STORE_PAGE_FAULT, virtual))
			return 0;
		entry = entry_of(root, virtual, 0);
	}
	return PTE_PHYSICAL(*entry);
}

long own_call(long number, struct registers *registers)
{
	struct process *process = current();
	uint64_t end = USER_TEXT + process->size, word = 77;
	if (number == CALL_GROW_LAZILY) {
		process->size += registers->x[10];
		return (long)end;
	}
	return number == CALL_FILL ? copy_out(process->root, registers->x[10], &word, sizeof(word)) : -1;
}

USER void user_main(long program)
{
	volatile long *data = (volatile long *)call(CALL_GROW, 2 * PAGE);
	volatile long *lazy = (volatile long *)call(CALL_GROW_LAZILY, 8 * PAGE);
	long wrong = 0;
	data[0] = program;
	lazy[512 * 3] = 5;
	for (int turn = 0; turn < 3; turn++) {
		if (call(CALL_FORK) == 0) {
			wrong |= data[0] != program + turn || lazy[512 * 3] != 5 || lazy[512 * 4 + turn];
			data[0] = 99;
			call(CALL_FILL, (long)&data[512]);
			call(CALL_FILL, (long)&lazy[512 * 6]);
			wrong |= data[512] != 77 || lazy[512 * 6] != 77 || data[0] != 99;
			if (wrong)
				call(CALL_FINISH, 1);
			call(CALL_EXIT, 0);
		}
		call(CALL_WAIT);
		wrong |= data[0] != program + turn || data[512] != 0;
		data[0] = program + turn + 1;
	}
	call(CALL_FINISH, wrong);
}
