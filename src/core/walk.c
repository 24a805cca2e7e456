/* walk.c - see walk.h. Depth first with an explicit stack of paths, so that neither depth nor the
 * number of open descriptors is bounded by recursion. */
#include "core/walk.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void push(char ***list, size_t *n, size_t *cap, char *text)
{
    if (*n == *cap) {
        *cap = *cap ? *cap * 2 : 256;
        *list = mp_xrealloc(*list, *cap * sizeof **list);
    }
    (*list)[(*n)++] = text;
}

void mp_walk_add(mp_walk_list *list, const char *path)
{
    push(&list->path, &list->n, &list->cap, mp_xstrdup(path));
}

static void note_unread(mp_walk_list *list, const char *folder, int errnum)
{
    mp_buf text = {0};
    mp_why why;
    mp_fail_errno(&why, errnum, "%s", "cannot read the folder");
    mp_buf_printf(&text, "%s", folder);
    mp_buf_add(&text, "", 1); /* path, NUL, reason */
    mp_buf_str(&text, why.text);
    push(&list->unread, &list->n_unread, &list->cap_unread, text.p);
}

typedef struct stack {
    char **folder;
    size_t n, cap;
} stack;

/* DT_UNKNOWN (some file systems) and links need a stat. */
static unsigned char kind_of(const struct dirent *entry, const char *path)
{
    struct stat st;
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type;
    if (lstat(path, &st) != 0)
        return DT_UNKNOWN;
    if (S_ISDIR(st.st_mode))
        return DT_DIR;
    if (S_ISLNK(st.st_mode) && stat(path, &st) != 0)
        return DT_UNKNOWN;
    return S_ISREG(st.st_mode) ? DT_REG : DT_UNKNOWN;
}

static void read_entries(DIR *dir, const char *folder, const mp_walk_options *opt, stack *todo,
                         mp_walk_list *list)
{
    char path[PATH_MAX];
    const char *join = strcmp(folder, "/") == 0 ? "" : "/";
    for (struct dirent *entry; (entry = readdir(dir));) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (name[0] == '.' && !opt->hidden))
            continue;
        if (snprintf(path, sizeof path, "%s%s%s", folder, join, name) >= (int)sizeof path)
            continue; /* the system could not open it by this name either */
        unsigned char kind = kind_of(entry, path);
        if (kind == DT_REG)
            mp_walk_add(list, path);
        else if (kind == DT_DIR && !opt->no_recurse && !(opt->skip && strcmp(path, opt->skip) == 0))
            push(&todo->folder, &todo->n, &todo->cap, mp_xstrdup(path));
    }
}

mp_err mp_walk_folder(const char *folder, const mp_walk_options *opt, mp_walk_list *list,
                      mp_why *why)
{
    stack todo = {0};
    mp_err err = MP_OK;
    push(&todo.folder, &todo.n, &todo.cap, mp_xstrdup(folder));
    while (!err && todo.n) {
        char *at = todo.folder[--todo.n];
        DIR *dir = opendir(at);
        if (dir) {
            read_entries(dir, at, opt, &todo, list);
            closedir(dir);
        } else {
            note_unread(list, at, errno);
        }
        free(at);
        if (opt->poll && opt->poll(opt->context, list->n))
            err = mp_fail(why, MP_CANCELLED, "stopped while looking for files");
    }
    while (todo.n)
        free(todo.folder[--todo.n]);
    free(todo.folder);
    return err;
}

static int by_bytes(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void mp_walk_sort(mp_walk_list *list)
{
    size_t kept = 0;
    if (list->n)
        qsort(list->path, list->n, sizeof *list->path, by_bytes);
    for (size_t i = 0; i < list->n; i++) {
        if (kept && strcmp(list->path[kept - 1], list->path[i]) == 0)
            free(list->path[i]);
        else
            list->path[kept++] = list->path[i];
    }
    list->n = kept;
}

bool mp_walk_has(const mp_walk_list *list, const char *path)
{
    return list->n && bsearch(&path, list->path, list->n, sizeof *list->path, by_bytes);
}

void mp_walk_free(mp_walk_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        free(list->path[i]);
    for (size_t i = 0; i < list->n_unread; i++)
        free(list->unread[i]);
    free(list->path);
    free(list->unread);
    *list = (mp_walk_list){0};
}
