/* Reading of import files: what RFC 4180 says, what spreadsheets do, what is refused where, and
 * files of any size. */
#include "import_reading.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- CSV ---- */

static void columns_come_in_any_order(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_CSV,
          "price, Title ,EXTERNAL_ID,currency,category,description,image_url,metadata\n"
          "12.50,Shoe,A-1,EUR,Shoes,For feet,https://x.example/a.jpg,\"{\"\"size\"\": 41}\"\n"
          ",Coat,A-2,,,,,\n");
    const mp_product *p = good(&r, 2);
    assert_string_equal(p->external_id, "A-1");
    assert_string_equal(p->title, "Shoe");
    assert_string_equal(p->description, "For feet");
    assert_string_equal(p->category, "Shoes");
    assert_true(p->has_price);
    assert_int_equal(p->price_e4, 125000);
    assert_string_equal(p->currency, "EUR");
    assert_string_equal(p->image_url, "https://x.example/a.jpg");
    assert_string_equal(p->metadata, "{\"size\": 41}");
    assert_int_equal(r.row.fields, MP_PRODUCT_CATALOGUE);
    p = good(&r, 3);
    assert_false(p->has_price);
    assert_string_equal(p->description, "");
    end(&r);
}

static void quotes_follow_the_rfc(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_CSV,
          "external_id,title\r\n"
          "1,\"a, \"\"quoted\"\" word\"\r\n"
          "\r\n"
          "\"2\",\"two\r\nlines\n\"\r\n"
          "3,5\" pipe\r\n"
          "4,\"\"\"\"\r\n"
          "5,\"closed\"x\r\n"
          "6,last");
    assert_string_equal(good(&r, 2)->title, "a, \"quoted\" word");
    assert_string_equal(good(&r, 4)->title, "two\r\nlines\n");
    assert_string_equal(good(&r, 7)->title, "5\" pipe");
    assert_string_equal(good(&r, 8)->title, "\"");
    bad(&r, 9, "closing quote");
    assert_string_equal(good(&r, 10)->title, "last");
    assert_int_equal(r.row.fields, MP_PRODUCT_EXTERNAL_ID | MP_PRODUCT_TITLE);
    end(&r);
}

static void a_quote_that_is_never_closed_is_told(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_CSV, "external_id,title\n1,a\n2,\"b\n3,c\n");
    good(&r, 2);
    bad(&r, 3, "never closed");
    end(&r);
}

static void any_line_end_and_delimiter_will_do(void **state)
{
    static const char *const files[] = {
        "external_id;title;price\n1;a,b;2.5\n2;c;3\n",
        "external_id\ttitle\tprice\r\n1\ta,b\t2.5\r\n2\tc\t3",
        "external_id,\"title\",price\r1,\"a,b\",2.5\r2,c,3\r",
        "\xEF\xBB\xBF\145xternal_id,title,price\n1,\"a,b\",2.5\n2,c,3\n",
        "\"external_id\";\"title\";\"price\"\r\n\"1\";\"a,b\";\"2.5\"\r\n2;c;3\r\n",
    };
    (void)state;
    for (size_t i = 0; i < MP_COUNT(files); i++) {
        reading r;
        begin(&r, MP_IMPORT_CSV, files[i]);
        assert_string_equal(good(&r, 2)->title, "a,b");
        assert_int_equal(r.row.product.price_e4, 25000);
        assert_string_equal(good(&r, 3)->external_id, "2");
        end(&r);
    }
    reading r;
    begin(&r, MP_IMPORT_CSV, "\n\r\n\rexternal_id;title\n\n1;a\n\n\n");
    assert_string_equal(good(&r, 6)->title, "a");
    end(&r);
}

static void prices_may_have_a_decimal_comma(void **state)
{
    static const char *const refused[] = {"1,250", "1.250,00", "1,2,5", ",5", "5,", "1,2x"};
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_CSV,
          "external_id;title;price\n1;a;12,50\n2;b; 7,5 \n3;c;1,250\n4;d;1.250,00\n5;e;1,2,5\n"
          "6;f;,5\n7;g;5,\n8;h;1,2x\n");
    good(&r, 2);
    assert_int_equal(r.row.product.price_e4, 125000);
    good(&r, 3);
    assert_int_equal(r.row.product.price_e4, 75000);
    for (size_t i = 0; i < MP_COUNT(refused); i++)
        bad(&r, 4 + i, "price");
    end(&r);
}

static void other_columns_go_into_metadata(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_CSV,
          "external_id,colour,metadata,\"say \"\"x\"\"\",\n"
          "1,red,,7,ignored\n"
          "2,\"a \"\"b\"\"\n\xC3\xA4\",\" { \"\"size\"\" : 1 } \n\",,\n"
          "3,,{ },,\n"
          "4,red,\"{\"\"colour\"\": 1}\",,\n"
          "5,red,[1],,\n"
          "6,\xFF,,,\n"
          "7,,,,\n");
    assert_string_equal(good(&r, 2)->metadata, "{\"colour\":\"red\",\"say \\\"x\\\"\":\"7\"}");
    assert_int_equal(r.row.fields, MP_PRODUCT_EXTERNAL_ID | MP_PRODUCT_METADATA);
    assert_string_equal(good(&r, 3)->metadata,
                        "{ \"size\" : 1,\"colour\":\"a \\\"b\\\"\\n\xC3\xA4\"}");
    assert_string_equal(good(&r, 6)->metadata, "{ }");
    bad(&r, 7, "metadata: it has a name twice");
    bad(&r, 8, "metadata: it must be a JSON object");
    bad(&r, 9, "column 2: it is not valid UTF-8");
    assert_string_equal(good(&r, 10)->metadata, "");
    end(&r);
}

static void bad_rows_are_told_and_passed(void **state)
{
    (void)state;
    reading r;
    begin(&r, MP_IMPORT_CSV,
          "external_id,title,price,currency\n"
          "1,a,twelve,EUR\n"
          "2,a,\"1,250\",EUR\n"
          "3,a,1,eur\n"
          "4,,1,EUR\n"
          ",a,1,EUR\n"
          "6,a,1\n"
          "7,a,1,EUR,\n"
          "8,\"two\nlines\",-1,EUR\n"
          "9,\xC3(,1,EUR\n"
          "10,a, 1 , EUR \n");
    bad(&r, 2, "price: ");
    bad(&r, 3, "price: ");
    bad(&r, 4, "currency: ");
    bad(&r, 5, "title: ");
    bad(&r, 6, "external_id: ");
    bad(&r, 7, "the row has 3 cells, the header has 4");
    bad(&r, 8, "the row has 5 cells, the header has 4");
    bad(&r, 9, "price: ");
    bad(&r, 11, "title: it is not valid UTF-8");
    assert_string_equal(good(&r, 12)->currency, "EUR");
    end(&r);
}

static void headers_are_checked(void **state)
{
    (void)state;
    refused(MP_IMPORT_CSV, "", MP_INVALID, "no header");
    refused(MP_IMPORT_CSV, "\n\n", MP_INVALID, "no header");
    refused(MP_IMPORT_CSV, "id,title\n1,a\n", MP_INVALID, "external_id");
    refused(MP_IMPORT_CSV, "external_id,title,Title\n", MP_INVALID, "title: it is given twice");
    refused(MP_IMPORT_CSV, "external_id,x,x\n", MP_INVALID, "column 3");
    refused(MP_IMPORT_CSV, "external_id,\xFF\n", MP_INVALID, "not valid UTF-8");
    refused(MP_IMPORT_CSV, "external_id,\"x\"y\n", MP_INVALID, "closing quote");
    refused(MP_IMPORT_CSV,
            "\xFF\xFE"
            "e",
            MP_UNSUPPORTED, "UTF-8");
    reading r;
    assert_int_equal(open_mapped(&r, MP_IMPORT_CSV, "PK\0\0", 4, NULL, 0), MP_UNSUPPORTED);
    mp_buf many = {0};
    mp_buf_str(&many, "external_id");
    for (int i = 1; i < MP_IMPORT_COLUMNS_MAX; i++)
        mp_buf_printf(&many, ",c%d", i);
    begin(&r, MP_IMPORT_CSV, many.p);
    end(&r);
    mp_buf_str(&many, ",one");
    refused(MP_IMPORT_CSV, many.p, MP_INVALID, "too many cells");
    mp_buf_str(&many, ",two,three\n1");
    refused(MP_IMPORT_CSV, many.p, MP_INVALID, "too many cells");
    mp_buf_free(&many);
}

static void columns_are_mapped(void **state)
{
    static const mp_import_column mapping[] = {
        {"SKU", "external_id"}, {"Name", "TITLE"}, {"title", ""}, {"Preis", "price"}};
    static const char csv[] = "sku,name,title,PREIS\n1,Shoe,x,2.50\n";
    static const char lines[] =
        "{\"sku\": \"1\", \"name\": \"Shoe\", \"title\": [1], \"Preis\": 2.50}\n";
    (void)state;
    reading r;
    for (int kind = MP_IMPORT_CSV; kind <= MP_IMPORT_LINES; kind++) {
        const char *text = kind == MP_IMPORT_CSV ? csv : lines;
        assert_int_equal(
            open_mapped(&r, (mp_import_kind)kind, text, strlen(text), mapping, MP_COUNT(mapping)),
            MP_OK);
        const mp_product *p = good(&r, kind == MP_IMPORT_CSV ? 2 : 1);
        assert_string_equal(p->external_id, "1");
        assert_string_equal(p->title, "Shoe");
        assert_int_equal(p->price_e4, 25000);
        assert_int_equal(r.row.fields,
                         MP_PRODUCT_EXTERNAL_ID | MP_PRODUCT_TITLE | MP_PRODUCT_PRICE);
        end(&r);
    }
    const mp_import_column wrong[] = {{"x", "colour"}};
    assert_int_equal(open_mapped(&r, MP_IMPORT_CSV, csv, strlen(csv), wrong, 1), MP_INVALID);
    assert_non_null(strstr(r.why.text, "mapping"));
}

static void rows_have_a_limit(void **state)
{
    (void)state;
    mp_buf text = {0};
    char *letters = mp_xmalloc(3 * MP_IMPORT_ROW_MAX);
    memset(letters, 'x', 3 * MP_IMPORT_ROW_MAX);
    reading r;
    mp_buf_str(&text, "external_id,title\n1,");
    mp_buf_add(&text, letters, 3 * MP_IMPORT_ROW_MAX);
    mp_buf_str(&text, "\n2,\"");
    mp_buf_add(&text, letters, MP_IMPORT_ROW_MAX);
    mp_buf_str(&text, "\n\n\"\n3,c\n4,");
    mp_buf_add(&text, letters, MP_IMPORT_ROW_MAX - 3); /* with its line end, exactly the limit */
    mp_buf_str(&text, "\n5,");
    mp_buf_add(&text, "a\0b", 3);
    mp_buf_str(&text, "\n6,f\n");
    assert_int_equal(open_mapped(&r, MP_IMPORT_CSV, text.p, text.n, NULL, 0), MP_OK);
    bad(&r, 2, "longer than 1 MiB");
    bad(&r, 3, "longer than 1 MiB");
    assert_string_equal(good(&r, 6)->title, "c");
    bad(&r, 7, "title: it has 1048573 bytes");
    bad(&r, 8, "zero byte");
    assert_string_equal(good(&r, 9)->title, "f");
    end(&r);

    text.n = 0;
    mp_buf_str(&text, "{\"external_id\": \"");
    mp_buf_add(&text, letters, 3 * MP_IMPORT_ROW_MAX);
    mp_buf_str(&text, "\"}\n{\"external_id\": 2}\n");
    assert_int_equal(open_mapped(&r, MP_IMPORT_LINES, text.p, text.n, NULL, 0), MP_OK);
    bad(&r, 1, "longer than 1 MiB");
    assert_string_equal(good(&r, 2)->external_id, "2");
    end(&r);
    mp_buf_free(&text);
    free(letters);
}

/* ---- size ---- */

static void ten_thousand_rows(mp_import_kind kind, const char *head, const char *format)
{
    mp_buf text = {0};
    reading r;
    mp_why why;
    mp_buf_str(&text, head);
    for (int i = 0; i < 10000; i++)
        mp_buf_printf(&text, format, i, i, i % 1000, i);
    /* Through a pipe: what comes in pieces of any size reads the same. */
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    if (child == 0) {
        size_t at = 0;
        while (at < text.n) {
            ssize_t n = write(ends[1], text.p + at, MP_MIN(text.n - at, (size_t)1 + at % 9973));
            if (n < 0)
                _exit(1);
            at += (size_t)n;
        }
        _exit(0);
    }
    close(ends[1]);
    r = (reading){.arena = mp_arena_new(64 * 1024)};
    mp_import_options opt = {.kind = kind, .fd = ends[0]};
    assert_ok(mp_import_open(&r.in, &opt, &why));
    uint64_t before = 0;
    for (int i = 0; i < 10000; i++) {
        char want[32];
        mp_arena_reset(r.arena); /* one row at a time is enough memory */
        assert_int_equal(next(&r), MP_OK);
        snprintf(want, sizeof want, "Shoe \"%d\"", i);
        assert_string_equal(r.row.product.title, want);
        assert_int_equal(r.row.product.price_e4, i % 1000 * 10000 + 5000);
        assert_true(mp_import_bytes(r.in) > before);
        before = mp_import_bytes(r.in);
    }
    assert_int_equal(next(&r), MP_NOT_FOUND);
    assert_int_equal(mp_import_bytes(r.in), text.n);
    mp_import_close(r.in);
    mp_arena_free(r.arena);
    close(ends[0]);
    waitpid(child, NULL, 0);
    mp_buf_free(&text);
}

static void long_files_are_read_in_pieces(void **state)
{
    (void)state;
    ten_thousand_rows(MP_IMPORT_CSV, "external_id,title,price,description\r\n",
                      "p%d,\"Shoe \"\"%d\"\"\",%d.5,\"line\r\nof %d\"\r\n");
    ten_thousand_rows(MP_IMPORT_LINES, "",
                      "{\"external_id\": \"p%d\", \"title\": \"Shoe \\\"%d\\\"\", \"price\": %d.5, "
                      "\"n\": %d}\n");
}

/* Every place where a block may end falls somewhere into a row. */
static void a_block_may_end_anywhere(void **state)
{
    (void)state;
    char *filler = mp_xmalloc(65600);
    memset(filler, 'f', 65600);
    for (size_t pad = 65460; pad < 65560; pad++) {
        mp_buf text = {0};
        reading r;
        mp_buf_str(&text, "external_id,title,x\r\n1,a,");
        mp_buf_add(&text, filler, 1000);
        mp_buf_str(&text, "\r\n2,b,");
        mp_buf_add(&text, filler, pad - 1100);
        mp_buf_str(&text, "\r\n3,\"\"\"c\r\n\"\"\",\"\xC3\xA4\"\r\n4,\"d\",\r\n");
        begin(&r, MP_IMPORT_CSV, text.p);
        good(&r, 2);
        if (pad - 1100 + 7 > MP_METADATA_MAX)
            bad(&r, 3, "metadata");
        else
            good(&r, 3);
        const mp_product *p = good(&r, 4);
        assert_string_equal(p->title, "\"c\r\n\"");
        assert_string_equal(p->metadata, "{\"x\":\"\xC3\xA4\"}");
        assert_string_equal(good(&r, 6)->title, "d");
        end(&r);
        mp_buf_free(&text);
    }
    free(filler);
}

static void what_cannot_be_read_ends_it(void **state)
{
    (void)state;
    mp_why why;
    mp_import *in;
    mp_import_options opt = {.kind = MP_IMPORT_CSV, .fd = -1};
    assert_int_equal(mp_import_open(&in, &opt, &why), MP_IO);
    assert_null(in);
    reading r;
    begin(&r, MP_IMPORT_CSV, "external_id,title\n1,a\n");
    mp_arena *small = mp_arena_new(16);
    assert_int_equal(mp_import_next(r.in, small, &r.row, &r.line, &r.why), MP_NOMEM);
    mp_arena_free(small);
    end(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_come_in_any_order),
        cmocka_unit_test(quotes_follow_the_rfc),
        cmocka_unit_test(a_quote_that_is_never_closed_is_told),
        cmocka_unit_test(any_line_end_and_delimiter_will_do),
        cmocka_unit_test(prices_may_have_a_decimal_comma),
        cmocka_unit_test(other_columns_go_into_metadata),
        cmocka_unit_test(bad_rows_are_told_and_passed),
        cmocka_unit_test(headers_are_checked),
        cmocka_unit_test(columns_are_mapped),
        cmocka_unit_test(rows_have_a_limit),
        cmocka_unit_test(long_files_are_read_in_pieces),
        cmocka_unit_test(a_block_may_end_anywhere),
        cmocka_unit_test(what_cannot_be_read_ends_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
