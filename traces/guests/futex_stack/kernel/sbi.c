/* Calls into the SBI firmware. */
#include "sbi.h"

#define EXT_TIME 0x54494d45
#define EXT_IPI 0x735049
#define EXT_RFENCE 0x52464e43
#define EXT_HSM 0x48534d
#define EXT_SRST 0x53525354

struct sbi_result {
	int64_t error;
	uint64_t value;
};

static struct sbi_result sbi_call(uint64_t extension, uint64_t function, uint64_t arg0, uint64_t arg1,
				  uint64_t arg2, uint64_t arg3)
{
	register uint64_t a0 __asm__("a0") = arg0;
	register uint64_t a1 __asm__("a1") = arg1;
	register uint64_t a2 __asm__("a2") = arg2;
	register uint64_t a3 __asm__("a3") = arg3;
	register uint64_t a6 __asm__("a6") = function;
	register uint64_t a7 __asm__("a7") = extension;

	__asm__ volatile("ecall" : "+r"(a0), "+r"(a1) : "r"(a2), "r"(a3), "r"(a6), "r"(a7) : "memory");
	return (struct sbi_result){ .error = (int64_t)a0, .value = a1 };
}

void sbi_set_timer(uint64_t time)
{
	sbi_call(EXT_TIME, 0, time, 0, 0, 0);
}

void sbi_start_hart(uint64_t hart_id, paddr_t entry, uint64_t argument)
{
	sbi_call(EXT_HSM, 0, hart_id, entry, argument, 0);
}

bool sbi_hart_exists(uint64_t hart_id)
{
	return sbi_call(EXT_HSM, 2, hart_id, 0, 0, 0).error == 0;
}

void sbi_send_ipi(uint64_t hart_mask)
{
	sbi_call(EXT_IPI, 0, hart_mask, 0, 0, 0);
}

void sbi_remote_sfence_vma(vaddr_t start, uint64_t size)
{
	sbi_call(EXT_RFENCE, 1, 0, ~0UL, start, size); /* a mask base of -1 means all harts */
}

_Noreturn void sbi_shutdown(void)
{
	sbi_call(EXT_SRST, 0, 0, 0, 0, 0);
	for (;;)
		__asm__ volatile("wfi");
}
