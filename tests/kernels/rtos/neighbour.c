/* The logger's stack is too small for what it calls: its buffer lies in the parser's frames. */
#include "kernel.h"

static char stacks[2048 + 1024] __attribute__((aligned(16)));
#define PARSER_TOP (stacks + 2048)
#define LOGGER_TOP (stacks + sizeof(stacks))
#define LIVE_PART 512UL

static struct task parser, logger;

NOINLINE static void format_line(volatile char *line, int number)
{
	for (int place = 0; place < 1400; place++)
		line[place] = (char)('0' + (number + place) % 10);
}

static void log_lines(void)
{
	volatile char line[1400];
	format_line(line, 3);
	yield();
	task_exit();
}

NOINLINE static long parse_tokens(void)
{
	volatile long tokens[100];
	long sum = 0;
	for (long place = 0; place < 100; place++)
		tokens[place] = place;
	yield();
	for (int place = 0; place < 100; place++)
		sum += tokens[place];
	return sum;
}

static void parse(void)
{
	finish(parse_tokens() == 4950 ? "parsed" : "wrong sum of tokens");
}

void setup(void)
{
	task_create(&logger, log_lines, LOGGER_TOP, MSTATUS_MPP_M);
	task_create(&parser, parse, PARSER_TOP, MSTATUS_MPP_M);
	truth = (struct truth){ (uint64_t)PARSER_TOP, (uint64_t)LOGGER_TOP, (uint64_t)PARSER_TOP - LIVE_PART,
				LIVE_PART };
}
