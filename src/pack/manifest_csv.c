/* manifest_csv.c - manifest.csv: one line per picture (RFC 4180, UTF-8), for spreadsheets. */
#include "pack/manifest_kind.h"

#include "pack/text.h"

#include <math.h>

static void number(mp_buf *out, float x)
{
    if (isfinite(x))
        mp_buf_printf(out, "%.7g", (double)x);
    mp_buf_str(out, ",");
}

static void text(mp_buf *out, const char *s)
{
    mp_pack_csv(out, s);
    mp_buf_str(out, ",");
}

/* Tags hold no commas: they can be joined by them. */
static void tags(mp_buf *out, const magpie_item *item)
{
    mp_buf joined = {0};
    for (size_t i = 0; i < item->n_tags; i++) {
        mp_buf_str(&joined, i ? "," : "");
        mp_buf_str(&joined, item->tags[i]);
    }
    text(out, joined.p);
    mp_buf_free(&joined);
}

static void issues(mp_buf *out, uint32_t bits)
{
    const char *comma = "";
    mp_buf_str(out, "\"");
    for (uint32_t bit = 1; bit && bit <= bits; bit <<= 1)
        if ((bits & bit) && magpie_issue_word(bit)) {
            mp_buf_printf(out, "%s%s", comma, magpie_issue_word(bit));
            comma = ",";
        }
    mp_buf_str(out, "\"");
}

static mp_err add_row(mp_manifest *m, const mp_manifest_row *row, mp_buf *out, mp_why *why)
{
    const magpie_item *item = row->item;
    char taken[MP_PACK_INSTANT], added[MP_PACK_INSTANT];
    (void)m;
    (void)why;
    mp_buf_printf(out, "%lld,", (long long)item->id);
    text(out, row->file);
    text(out, item->name);
    mp_buf_printf(out, "%s,%s,%d,%d,%lld,%016llx,%s,%s,", item->sha256, item->format,
                  (int)item->width, (int)item->height, (long long)item->bytes,
                  (unsigned long long)item->phash, mp_pack_instant(taken, item->taken_ms),
                  mp_pack_instant(added, item->added_ms));
    text(out, item->title);
    text(out, item->description);
    tags(out, item);
    number(out, item->sharpness);
    number(out, item->brightness);
    number(out, item->contrast);
    number(out, item->entropy);
    issues(out, item->issues);
    mp_buf_str(out, "\r\n");
    return MP_OK;
}

static mp_err frame(mp_manifest *m, mp_buf *out, mp_why *why)
{
    (void)m;
    (void)why;
    mp_buf_str(&out[0], "id,file,name,sha256,format,width,height,bytes,phash,taken_at,added_at,"
                        "title,description,tags,sharpness,brightness,contrast,entropy,issues\r\n");
    return MP_OK;
}

const mp_manifest_kind mp_manifest_csv = {.entry = "manifest.csv", .row = add_row, .frame = frame};
