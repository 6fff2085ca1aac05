/* The user's side of a system call. Everything of the user lies in .user, at addresses of its own. */
#ifndef USER_H
#define USER_H

#include "paging.h"

#define USER __attribute__((section(".user")))

struct timespec {
	int64_t seconds;
	int64_t nanoseconds;
};

struct arguments {
	long first, second, third, fourth;
};

static inline __attribute__((always_inline)) long call_with(long number, struct arguments given)
{
	register long a0 __asm__("a0") = given.first;
	register long a1 __asm__("a1") = given.second;
	register long a2 __asm__("a2") = given.third;
	register long a3 __asm__("a3") = given.fourth;
	register long a7 __asm__("a7") = number;
	__asm__ volatile("ecall" : "+r"(a0) : "r"(a1), "r"(a2), "r"(a3), "r"(a7) : "memory");
	return a0;
}

/* call(NUMBER, up to four arguments) */
#define call(number, ...) call_with(number, (struct arguments){ __VA_ARGS__ })

USER void user_main(long task);

#endif
