#include "console.h"

#define UART 0x10000000UL
#define TEST_DEVICE 0x100000UL

static void put(char letter)
{
	*(volatile char *)(UART + linear_offset) = letter;
}

void print(const char *text)
{
	while (*text)
		put(*text++);
}

void print_hex(uint64_t value)
{
	print("0x");
	for (int shift = 60; shift >= 0; shift -= 4)
		put("0123456789abcdef"[value >> shift & 15]);
}

void power_off(void)
{
	*(volatile uint32_t *)(TEST_DEVICE + linear_offset) = 0x5555;
	for (;;)
		__asm__ volatile("wfi");
}

void finish(const char *last_line)
{
	print(last_line);
	print("\n");
	power_off();
}

void panic(const char *why, uint64_t value)
{
	print("panic: ");
	print(why);
	print(" ");
	print_hex(value);
	print("\n");
	power_off();
}

void panic_on_trap(uint64_t cause, uint64_t pc, uint64_t address)
{
	print("trap at ");
	print_hex(pc);
	print(" for ");
	print_hex(address);
	print("\n");
	panic("unexpected trap", cause);
}
