/*
 * Shows the banner of /etc/issue, as a login prompt would: once the console has had time to settle.
 * Until then it looks again and again whether the file is still there, with a pause now and then.
 */
#include "getty.h"
#include "library.h"

#define ISSUE "/etc/issue"
#define SETTLE_MILLISECONDS 300
#define WATCH_MILLISECONDS 60
#define PAUSE_MILLISECONDS 5

/* The text lies beside the timeout: before it, or behind when that is too low. */
#define ISSUE_SIZE 0x200
#define ISSUE_VA (USER_FUTEX_TS_VA >= USER_PLACED_VA + ISSUE_SIZE ? USER_PLACED_VA : USER_FUTEX_TS_VA + 16)

_Static_assert(USER_FUTEX_TS_VA >= USER_PLACED_VA && USER_FUTEX_TS_VA % 8 == 0 &&
		       USER_FUTEX_TS_VA + 16 <= USER_DATA_VA + 0x1000 &&
		       ISSUE_VA + ISSUE_SIZE <= USER_DATA_VA + 0x1000,
	       "the timeout does not fit there");

static struct timespec *const pause_time = (struct timespec *)USER_FUTEX_TS_VA;
static char *const text = (char *)ISSUE_VA;
static uint32_t never;

static uint32_t text_checksum(void)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < ISSUE_SIZE; i++)
		sum = sum * 31 + (uint8_t)text[i];
	return sum;
}

/* For as long as a round lasts: whether the file can be read. */
static int watch_issue(void)
{
	long end = monotonic_milliseconds() + WATCH_MILLISECONDS;

	do {
		char start[16];

		if (read_file(ISSUE, start, sizeof(start)) != sizeof(start)) {
			print("getty: " ISSUE " is gone\n");
			return -1;
		}
	} while (monotonic_milliseconds() < end);
	return 0;
}

static int wait_a_round(void)
{
	long result = futex_wait(&never, 0, pause_time);

	if (result == -ETIMEDOUT)
		return 0;
	print("getty: futex: error ");
	print_number(-result);
	print("\n");
	return -1;
}

int run_getty(void)
{
	long settled = monotonic_milliseconds() + SETTLE_MILLISECONDS;
	uint32_t sum;

	if (read_file(ISSUE, text, ISSUE_SIZE - 1) <= 0) {
		print("getty: " ISSUE " cannot be read\n");
		return 1;
	}
	sum = text_checksum();
	pause_time->tv_sec = 0;
	pause_time->tv_nsec = PAUSE_MILLISECONDS * MILLISECOND;
	while (monotonic_milliseconds() < settled)
		if (watch_issue() < 0 || wait_a_round() < 0)
			return 1;
	if (text_checksum() != sum) {
		print("getty: the text of " ISSUE " is damaged\n");
		return 1;
	}
	print(text);
	return 0;
}
