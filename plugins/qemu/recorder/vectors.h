/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vector instructions leave in vector registers and vector CSRs. */
#ifndef TRACEDBG_VECTORS_H
#define TRACEDBG_VECTORS_H

#include "decode.h"

/* Lists what a vector instruction has left, whether it retired or trapped at one of its elements. */
void vectors_read(const struct decoded *d, uint64_t t);

/* From t on, what the instruction may have written is not known. */
void vectors_doubt(const struct decoded *d, uint64_t t);

/* A block of vector instructions can make a thousand accesses each, and keyframes with vectors are long: true when
 * the slot has no room left for that. */
bool vectors_nearly_fill(void);

#endif
