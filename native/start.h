/* start.h - what start.c calls: the main function of a freestanding program. Its result is the exit status. */
#ifndef TSRUN_START_H
#define TSRUN_START_H

int program_main(int argc, char **argv, char **envp);

#endif
