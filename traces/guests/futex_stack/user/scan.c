/* /bin/scan: reads a sparse log from start to end, again and again, and checks its CRC. */
#include "library.h"

#define LOG "/var/log/sparse"
#define SCAN_MILLISECONDS 60
#define CHUNK 512

#define CRC32_POLYNOMIAL 0xedb88320U

static uint8_t chunk[CHUNK];

static uint32_t update_crc(uint32_t crc, const uint8_t *bytes, long size)
{
	for (long i = 0; i < size; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
	}
	return crc;
}

/* CRC of the whole log, or a negative error. */
static long check_log(long fd)
{
	uint32_t crc = ~0U;
	long offset = 0;
	long size;

	while ((size = read_bytes_at(fd, offset, chunk, sizeof(chunk))) > 0) {
		crc = update_crc(crc, chunk, size);
		offset += size;
	}
	return size < 0 ? size : (long)crc;
}

int main(void)
{
	long end = monotonic_milliseconds() + SCAN_MILLISECONDS;
	long fd = open_file(LOG);
	long expected = check_log(fd);

	if (expected < 0)
		return 1;
	while (monotonic_milliseconds() < end)
		if (check_log(fd) != expected)
			return 1;
	return 0;
}
