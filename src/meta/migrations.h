/* migrations.h - the numbered files of db/sqlite as text, NULL-terminated, first is version 1. */
#ifndef MP_MIGRATIONS_H
#define MP_MIGRATIONS_H

extern const char *const mp_migrations[];

#endif
