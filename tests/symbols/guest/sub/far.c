#include "../util.h"
static __attribute__((noinline)) int shared(int v) { return clamp(v, 99) ^ 5; }
int far_call(int x)
{
    int pad[8];
    for (int i = 0; i < 8; i++)
        pad[i] = shared(x + i);
    return pad[x & 7];
}
int unused_function(int q) { return q * 7; }
