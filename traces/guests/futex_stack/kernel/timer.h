/* The periodic tick of each hart. */
#ifndef TIMER_H
#define TIMER_H

void timer_init_hart(void);
void timer_interrupt(void);

#endif
