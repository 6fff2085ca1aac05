/* What the kernel keeps for each hart; tp points to it while the kernel runs. */
#ifndef HART_H
#define HART_H

#include "layout.h"
#include "task.h"

struct hart {
	uint64_t id;
	struct task *current; /* NULL in the scheduler */
	struct context scheduler;
	bool need_resched;
	unsigned kernel_ticks; /* timer interrupts since it last left the kernel or switched tasks */
};

extern struct hart harts[MAX_HARTS];

static inline struct hart *this_hart(void)
{
	struct hart *hart;
	__asm__ volatile("mv %0, tp" : "=r"(hart));
	return hart;
}

/* Trap vector, interrupts and timer of the hart that calls. */
void hart_init(uint64_t id);

/* Start every other hart of the machine. */
void harts_start(uint64_t boot_id);

#endif
