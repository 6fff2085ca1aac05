#include "truth.h"

volatile struct truth truth;
