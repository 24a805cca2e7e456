/* cli.h - the command line as a function. */
#ifndef MP_CLI_H
#define MP_CLI_H

/* Runs one command; returns the exit code (exits.h). */
int mp_cli_main(int argc, char **argv);

#endif
