/* list_copies.c - groups of the same picture in a library, the one to keep first.
 *
 *     cc list_copies.c $(pkg-config --cflags --libs magpie) -o list_copies
 *     ./list_copies LIBRARY
 */
#include <magpie.h>

#include <stdio.h>

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: %s LIBRARY\n", argv[0]);
        return 2;
    }
    magpie *m;
    magpie_why why;
    magpie_groups *groups;
    magpie_options options = {.library = argv[1]};
    if (magpie_open(&m, &options, &why)) {
        fprintf(stderr, "%s\n", why.text);
        return 1;
    }
    magpie_err err = magpie_duplicates(m, NULL, &groups, &why);
    if (err) {
        fprintf(stderr, "%s\n", why.text);
        magpie_close(m);
        return 1;
    }
    for (size_t i = 0; i < groups->n; i++) {
        const magpie_group *g = &groups->group[i];
        printf("group %zu, weakest link %.2f\n", i + 1, (double)g->weakest);
        for (size_t k = 0; k < g->n; k++)
            printf("  %s %s (%s)\n", g->member[k].keep ? "keep" : "    ", g->member[k].path,
                   g->member[k].reason);
    }
    magpie_groups_free(groups);
    magpie_close(m);
    return 0;
}
