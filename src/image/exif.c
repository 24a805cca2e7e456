/* exif.c - the time in a picture's EXIF. Cameras write local time without a zone: it is taken as
 * UTC, which keeps the order and the day. */
#include "image/load.h"

#include <time.h>

/* `n` decimal digits and the separator behind them (0: any). */
static bool number(const char **at, int n, char separator, int *out)
{
    const char *p = *at;
    *out = 0;
    for (int i = 0; i < n; i++, p++) {
        if (*p < '0' || *p > '9')
            return false;
        *out = *out * 10 + (*p - '0');
    }
    if (separator && *p++ != separator)
        return false;
    *at = p;
    return true;
}

int64_t mp_exif_time_ms(const char *text)
{
    struct tm t = {0};
    if (!number(&text, 4, ':', &t.tm_year) || !number(&text, 2, ':', &t.tm_mon) ||
        !number(&text, 2, ' ', &t.tm_mday) || !number(&text, 2, ':', &t.tm_hour) ||
        !number(&text, 2, ':', &t.tm_min) || !number(&text, 2, 0, &t.tm_sec))
        return 0;
    if (t.tm_year < 1826 || t.tm_mon < 1 || t.tm_mon > 12 || t.tm_mday < 1 || t.tm_mday > 31 ||
        t.tm_hour > 23 || t.tm_min > 59 || t.tm_sec > 60)
        return 0;
    t.tm_year -= 1900;
    t.tm_mon -= 1;
    return (int64_t)timegm(&t) * 1000;
}
