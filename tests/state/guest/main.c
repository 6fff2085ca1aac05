/* A kernel that does little: calls of different depth, traps of different kinds, Sv39 with two user pages. */
typedef unsigned long u64;

#define PAGE 4096ul
#define V 1ul
#define R 2ul
#define W 4ul
#define X 8ul
#define U 16ul
#define AD 192ul
#define ENTRY(address, flags) ((u64)(address) >> 12 << 10 | (flags))
#define USER_CODE 0x40000000ul
#define USER_STACK 0x40001000ul
#define ALIAS 0x40010000ul
#define UNMAPPED 0x40020000ul

extern char trap_entry[], user_code[], user_stack[];
void enter_user(u64 pc, u64 sp);
u64 load_or_fault(u64 address);

static u64 root[512] __attribute__((aligned(4096)));
static u64 middle[512] __attribute__((aligned(4096)));
static u64 last[512] __attribute__((aligned(4096)));
volatile u64 results[64];
volatile u64 ticks;

static inline u64 sbi(u64 extension, u64 function, u64 first, u64 second)
{
	register u64 a0 asm("a0") = first;
	register u64 a1 asm("a1") = second;
	register u64 a6 asm("a6") = function;
	register u64 a7 asm("a7") = extension;

	asm volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a6), "r"(a7) : "memory");
	return a0;
}

static u64 now(void)
{
	u64 time;

	asm volatile("rdtime %0" : "=r"(time));
	return time;
}

static inline __attribute__((always_inline)) u64 mix(u64 value)
{
	value ^= value >> 29;
	return value * 0x9e3779b97f4a7c15ul + 1;
}

__attribute__((noinline)) static u64 leaf(u64 value)
{
	for (int i = 0; i < 5; i++)
		value = mix(value);
	return value;
}

__attribute__((noinline)) u64 descend(u64 depth, u64 seed)
{
	volatile u64 local[6];

	for (u64 i = 0; i < 6; i++)
		local[i] = mix(seed + i);
	if (depth == 0)
		return leaf(seed) + load_or_fault(UNMAPPED + (seed & 0xff8));
	return descend(depth - 1, local[seed % 6]) + local[depth % 6];
}

__attribute__((noinline)) static void arm_timer(void)
{
	sbi(0x54494d45, 0, now() + INTERVAL, 0);
}

__attribute__((noinline)) static void on_timer(void)
{
	ticks = ticks + 1;
	results[63] = leaf(ticks);
	arm_timer();
}

__attribute__((noinline)) static void on_call(u64 *frame)
{
	if (frame[17] == 0)
		sbi(0x53525354, 0, 0, 0);
	results[frame[10] % 62] = descend(frame[10] % 7, frame[10]);
	*(volatile u64 *)ALIAS = frame[10];
	frame[32] += 4;
}

void on_trap(u64 *frame)
{
	u64 cause;

	asm volatile("csrr %0, scause" : "=r"(cause));
	if (cause >> 63)
		on_timer();
	else if (cause == 8)
		on_call(frame);
	else
		frame[32] += 4;
}

static void map(void)
{
	root[2] = ENTRY(0x80000000ul, V | R | W | X | AD);
	root[1] = ENTRY(middle, V);
	middle[0] = ENTRY(last, V);
	last[0] = ENTRY(user_code, V | R | X | U | AD);
	last[1] = ENTRY(user_stack, V | R | W | U | AD);
	last[16] = ENTRY(user_stack, V | R | W | AD);
	asm volatile("csrw satp, %0; sfence.vma" ::"r"(8ul << 60 | (u64)root >> 12) : "memory");
}

int main(void)
{
	asm volatile("csrw stvec, %0; csrw sscratch, zero" ::"r"(trap_entry));
	map();
	for (u64 i = 0; i < 20; i++)
		results[i] = descend(i % 5, i);
	if (INTERVAL) {
		arm_timer();
		asm volatile("csrs sie, %0; csrs sstatus, %1" ::"r"(32ul), "r"(2ul));
	}
	for (u64 i = 0; i < 20; i++)
		results[i] += descend(i % 6, i);
	asm volatile("csrc sstatus, %0" ::"r"(2ul));
	enter_user(USER_CODE, USER_STACK + PAGE);
	return 0;
}
