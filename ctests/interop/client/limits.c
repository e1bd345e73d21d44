#include "interop.h"
void test(void){ ok(true,"x"); }
