/* In order: children replace their address spaces, again and again, and run out of turn. */
#include "kernel.h"

#define LAST 6

static const char done[] __attribute__((section(".user.text"))) = "done\n";

USER void user_main(long program)
{
	volatile long kept[16];
	if (program == 1) {
		for (int child = 0; child < 3; child++)
			if (call(CALL_FORK) == 0)
				call(CALL_EXEC, 2 + child);
		while (call(CALL_WAIT) > 0)
			;
		call(CALL_FINISH, 0);
	}
	for (int place = 0; place < 16; place++)
		kept[place] = program;
	call(CALL_PAUSE, program % 3);
	for (int place = 0; place < 16; place++)
		if (kept[place] != program)
			call(CALL_FINISH, 1);
	if (program < LAST)
		call(CALL_EXEC, program + 1);
	call(CALL_WRITE, (long)done, sizeof(done) - 1);
	call(CALL_EXIT, 0);
}
