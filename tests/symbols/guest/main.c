#include "util.h"
static int helper(int x) { return clamp(x * 3, 10) + 1; }
int global_counter = 3;
const char message[] = "hello";
__attribute__((noinline)) int deep(int depth, char *buf)
{
    char local[64];
    for (int i = 0; i < 64; i++)
        local[i] = buf[i & 3] + depth;
    if (depth == 0)
        return local[depth & 63];
    return deep(depth - 1, local) + local[3];
}
int use_inline(int a, int b)
{
    int sum = 0;
    for (int i = 0; i < a; i++)
        sum += helper(i) * clamp(b, i);
    return sum + far_call(sum);
}
int main(void)
{
    char text[4] = "abc";
    return use_inline(global_counter, 4) + deep(3, text);
}
