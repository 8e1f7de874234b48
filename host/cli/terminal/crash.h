/* The last words of a process that the system or a driver ends. */
#ifndef SETOSA_CLI_CRASH_H
#define SETOSA_CLI_CRASH_H

/* One line on stderr for what cannot be an error that is returned: a mapped file that was shortened (exit 3); a driver that aborts, or that
 * crashes under a low limit of memory, threads or the like (exit 1). Other crashes are the system's, as ever. CPU time that is used up
 * (ulimit -t) is said, and then is as SIGTERM, a little before the system would kill the process. */
void crash_install(void);
/* After a driver was loaded: LLVM, which is in many, puts handlers of its own before these, and one of them lets an abort pass. */
void crash_install_again(void);

#endif
