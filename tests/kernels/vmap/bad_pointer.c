/* One thread blanks a screen with more cells than it has; another follows a list that began behind it. */
#include "kernel.h"

#define CELLS 64
#define BLANK 0xdbdbdbdbdbdbdbdb

struct item {
	struct item *next;
	long weight;
};

static struct thread drawer, weigher;
static struct item items[2] = { { &items[1], 3 }, { NULL, 4 } };
static struct {
	volatile uint64_t cells[CELLS];
	struct item *volatile first;
} screen = { .first = items };

NOINLINE static void blank_screen(int cells)
{
	for (int cell = 0; cell <= cells; cell++)
		((volatile uint64_t *)&screen)[cell] = BLANK;
}

static void draw(void)
{
	blank_screen(CELLS);
	thread_exit();
}

NOINLINE static long weigh(void)
{
	long total = 0;
	for (struct item *item = screen.first; item; item = item->next)
		total += ((volatile struct item *)item)->weight;
	return total;
}

static void weigh_all(void)
{
	if (weigh() != 7)
		finish("wrong weight");
	yield();
	weigh();
	finish("weighed");
}

void setup(void)
{
	thread_create(&weigher, weigh_all, 1, 1);
	thread_create(&drawer, draw, 1, 1);
	truth = (struct truth){ drawer.stack_base, drawer.stack_top, (uint64_t)&screen.first, 8 };
}
