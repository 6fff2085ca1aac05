/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "vectors.h"
#include "harts.h"

static const int vector_csrs[] = { REGISTER_MSTATUS, REGISTER_VSTART, REGISTER_VCSR, REGISTER_VL,
				   REGISTER_VTYPE };

static int vector_word(unsigned int number, unsigned int word)
{
	return REGISTER_V0 + (int)(number * vector_words + word);
}

void vectors_doubt(const struct decoded *d, uint64_t t)
{
	for (unsigned int i = 0; i < sizeof(vector_csrs) / sizeof(vector_csrs[0]); i++)
		hart_doubt(vector_csrs[i], t);
	for (unsigned int i = 0; i < d->vectors * vector_words; i++)
		hart_doubt(vector_word(d->vd, i), t);
}

void vectors_read(const struct decoded *d, uint64_t t)
{
	uint64_t words[VECTOR_WORDS_MAX];

	for (unsigned int i = 0; i < sizeof(vector_csrs) / sizeof(vector_csrs[0]); i++)
		hart_set_register(vector_csrs[i], register_read(vector_csrs[i]), t);
	for (unsigned int number = d->vd; number < (unsigned int)d->vd + d->vectors; number++) {
		register_read_vector(number, words);
		for (unsigned int i = 0; i < vector_words; i++)
			hart_set_register(vector_word(number, i), words[i], t);
	}
}

bool vectors_nearly_fill(void)
{
	uint64_t accesses = shared->column[COLUMN_ACCESSES_T].capacity;
	uint64_t values = shared->column[COLUMN_EPOCH_KEYFRAME_VALUE].capacity;

	return vector_words && (slot->count[COLUMN_ACCESSES_T] > accesses / 8 * 5 ||
				slot->count[COLUMN_EPOCH_KEYFRAME_VALUE] > values / 2);
}
