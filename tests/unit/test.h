/* test.h - what every cmocka program here includes, in the order cmocka wants. */
#ifndef MP_TEST_H
#define MP_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/base.h"

/* Fails with the function's own words. `why` must be in scope. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        mp_err err_ = (call);                                                                      \
        if (err_ != MP_OK)                                                                         \
            fail_msg("%s: %s: %s", #call, mp_err_word(err_), why.text);                            \
    } while (0)
#endif
