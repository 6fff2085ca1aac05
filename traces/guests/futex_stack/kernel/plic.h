/* Platform-level interrupt controller. */
#ifndef PLIC_H
#define PLIC_H

#include "types.h"

void plic_init_hart(uint64_t hart_id);
void plic_enable(unsigned irq);

/* Claim pending interrupts one after the other and hand them to their driver. */
void plic_interrupt(void);

#endif
