/* find_words.c - adds a folder and finds pictures by words.
 *
 *     cc find_words.c $(pkg-config --cflags --libs magpie) -o find_words
 *     ./find_words LIBRARY FOLDER "running shoes"
 */
#include <magpie.h>

#include <stdio.h>

static void on_file(void *context, const magpie_file_event *e)
{
    (void)context;
    if (e->outcome == MAGPIE_REFUSED)
        fprintf(stderr, "refused %s: %s\n", e->path, e->reason);
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: %s LIBRARY FOLDER WORDS\n", argv[0]);
        return 2;
    }
    magpie *m;
    magpie_why why;
    magpie_options options = {.library = argv[1], .create = true};
    if (magpie_open(&m, &options, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    const char *folder = argv[2];
    magpie_add_options adding = {.on_file = on_file};
    magpie_add_report report;
    magpie_hits *hits = NULL;
    magpie_term words = {.kind = MAGPIE_TEXT, .text = argv[3]};
    magpie_query query = {.terms = &words, .n_terms = 1, .k = 5};
    magpie_err err = magpie_add(m, &folder, 1, &adding, &report, &why);
    if (!err)
        err = magpie_search(m, &query, &hits, &why);
    if (err) {
        fprintf(stderr, "%s\n", why.text);
    } else if (!hits->convincing) {
        printf("no good match\n");
    } else {
        for (size_t i = 0; i < hits->n; i++)
            printf("%.3f %s\n", (double)hits->hit[i].score, hits->hit[i].path);
    }
    magpie_hits_free(hits);
    magpie_close(m);
    return err ? 1 : 0;
}
