/* Values that come to where they are by ways that the tests name. Hart 1 produces, hart 0 consumes and then
 * calls a pointer that a copy went over. */
typedef unsigned long u64;

#define SOFTWARE_INTERRUPT 0x02000000ul
#define TIME 0x0200bff8ul
#define BOOT_ROM 0x1000ul

struct task {
	char name[16];
	void (*handler)(u64);
};

struct task task;
volatile u64 slot, ready, passed, pieces, stamp, rom, scratched, added, called, kept, initial = 0x1234, crossed[1024];
volatile u64 counter = 40;
volatile double quotient = 3.0, product;
/* Longer than a name, as an attacker sends it. */
const char message[24] = "sixteen letters!\x40\x33\x22\x41\x41\x41";

__attribute__((noinline)) static void copy(char *to, const char *from, u64 size)
{
	while (size--)
		*to++ = *from++;
}

__attribute__((noinline)) static void ignore(u64 value)
{
	passed = value;
}

__attribute__((noinline)) static u64 seed(void)
{
	return 0x5eed;
}

__attribute__((noinline)) void producer(void)
{
	u64 value = seed();

	value = value * 3 + 1;
	slot = value;
	__atomic_store_n(&ready, 1, __ATOMIC_RELEASE);
	*(volatile unsigned *)SOFTWARE_INTERRUPT = 1;
	for (;;)
		asm volatile("wfi");
}

__attribute__((noinline)) static u64 receive(void)
{
	/* An interrupt that is enabled ends wfi; with all of them masked it does not trap. */
	asm volatile("csrsi mie, 8");
	while (!__atomic_load_n(&ready, __ATOMIC_ACQUIRE))
		asm volatile("wfi");
	return slot;
}

__attribute__((noinline)) static void write_pieces(void)
{
	pieces = 0x1111111111111111;
	*((volatile unsigned char *)&pieces + 1) = 0x22;
	*(volatile unsigned short *)((volatile char *)&pieces + 4) = 0x3333;
}

__attribute__((noinline)) static void read_devices(void)
{
	stamp = *(volatile u64 *)TIME;
	rom = *(volatile unsigned *)BOOT_ROM;
}

__attribute__((noinline)) static void use_control_registers(u64 value)
{
	u64 found;

	asm volatile("csrw mscratch, %0" ::"r"(value));
	asm volatile("csrw mscratch, %0" ::"r"(value));
	asm volatile("csrr %0, mscratch" : "=r"(found));
	scratched = found;
}

__attribute__((noinline)) static void cross_a_page(void)
{
	char *place = (char *)crossed + 4096 - (u64)crossed % 4096 - 4;
	u64 value;

	asm volatile("sd %1, 0(%2)\n ld %0, 0(%2)" : "=&r"(value) : "r"(0x0807060504030201), "r"(place) : "memory");
	crossed[0] = value;
}

__attribute__((noinline)) void on_call(u64 *frame)
{
	frame[10] = frame[10] * 5 + initial;
}

__attribute__((noinline)) static u64 call(u64 value)
{
	register u64 a0 asm("a0") = value;

	asm volatile("ecall" : "+r"(a0) : : "memory");
	return a0;
}

/* The argument lies in a register that callees save, and is on the stack while each call runs. */
__attribute__((noinline)) static u64 keep(u64 value)
{
	for (int i = 0; i < 4; i++)
		called = call(i + called);
	return value;
}

__attribute__((noinline)) void consumer(void)
{
	task.handler = ignore;
	passed = receive();
	write_pieces();
	read_devices();
	use_control_registers(initial + 1);
	cross_a_page();
	__atomic_fetch_add(&counter, 2, __ATOMIC_RELAXED);
	added = counter;
	product = quotient * 2.0;
	kept = keep(initial);
	copy(task.name, message, sizeof(message));
	task.handler(passed);
}
