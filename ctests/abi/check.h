/* Counts what is as it should be and tells what is not. The last line is TAP's plan. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

static int checks;
static int failures;

static void check_number(const char *what, long is, long should_be)
{
    checks++;
    if(is != should_be) {
        failures++;
        printf("not ok %d - %s is %ld, not %ld\n", checks, what, is, should_be);
    }
    else
        printf("ok %d - %s\n", checks, what);
}

static void check_text(const char *what, const char *is, const char *should_be)
{
    checks++;
    if(!is || strcmp(is, should_be)) {
        failures++;
        printf("not ok %d - %s is \"%s\", not \"%s\"\n", checks, what,
               is ? is : "(NULL)", should_be);
    }
    else
        printf("ok %d - %s\n", checks, what);
}

static int checked(void)
{
    (void)check_number;
    (void)check_text;
    printf("1..%d\n", checks);
    return failures ? 1 : 0;
}

#endif
