/* The console: a 16550 UART, and formatted messages of the kernel on it. */
#include <stdarg.h>

#include "console.h"
#include "layout.h"
#include "riscv.h"
#include "sbi.h"

#define UART_DATA 0
#define UART_LINE_STATUS 5
#define LINE_STATUS_TX_EMPTY 0x20

static void put_char(char c)
{
	volatile uint8_t *uart = (volatile uint8_t *)UART_BASE;

	while (!(uart[UART_LINE_STATUS] & LINE_STATUS_TX_EMPTY))
		;
	uart[UART_DATA] = (uint8_t)c;
}

void console_write(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\n')
			put_char('\r');
		put_char(text[i]);
	}
}

static void put_string(const char *text)
{
	for (; *text; text++)
		console_write(text, 1);
}

static void put_number(uint64_t value, unsigned base)
{
	char digits[20];
	unsigned count = 0;

	do {
		digits[count++] = "0123456789abcdef"[value % base];
		value /= base;
	} while (value);
	while (count--)
		put_char(digits[count]);
}

static void put_signed(int64_t value)
{
	if (value < 0)
		put_char('-');
	put_number(value < 0 ? -(uint64_t)value : (uint64_t)value, 10);
}

static void format_message(const char *format, va_list args)
{
	for (; *format; format++) {
		if (*format != '%') {
			console_write(format, 1);
			continue;
		}
		switch (*++format) {
		case 's':
			put_string(va_arg(args, const char *));
			break;
		case 'd':
			put_signed(va_arg(args, int));
			break;
		case 'u':
			put_number(va_arg(args, uint64_t), 10);
			break;
		case 'x':
			put_string("0x");
			put_number(va_arg(args, uint64_t), 16);
			break;
		default:
			put_char('%');
			return;
		}
	}
}

void printk(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	format_message(format, args);
	va_end(args);
}

_Noreturn void panic(const char *format, ...)
{
	va_list args;

	irq_disable();
	put_string("kernel panic: ");
	va_start(args, format);
	format_message(format, args);
	va_end(args);
	put_string("\n");
	sbi_shutdown();
}
