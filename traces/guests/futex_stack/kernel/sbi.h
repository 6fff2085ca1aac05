/* Calls into the SBI firmware (RISC-V Supervisor Binary Interface specification 2.0). */
#ifndef SBI_H
#define SBI_H

#include "types.h"

void sbi_set_timer(uint64_t time);
void sbi_start_hart(uint64_t hart_id, paddr_t entry, uint64_t argument);
bool sbi_hart_exists(uint64_t hart_id);
void sbi_send_ipi(uint64_t hart_mask);
void sbi_remote_sfence_vma(vaddr_t start, uint64_t size);
_Noreturn void sbi_shutdown(void);

#endif
