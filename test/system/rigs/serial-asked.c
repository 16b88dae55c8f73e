/* Preloaded: makes a pty remember the parity, which it forgets otherwise (Linux, drivers/tty/pty.c), and notes the flags that a program has
 * asked for in the file SERIAL_ASKED. For one serial port at a time. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>

#define FORGOTTEN (PARENB | PARODD)

static int port = -1;
static tcflag_t remembered;

int tcgetattr(int fd, struct termios *now) {
  int (*real)(int, struct termios *) = dlsym(RTLD_NEXT, "tcgetattr");
  int result = real(fd, now);
  if (result == 0 && fd == port) now->c_cflag = (now->c_cflag & ~FORGOTTEN) | remembered;
  return result;
}

int tcsetattr(int fd, int actions, const struct termios *asked) {
  int (*real)(int, int, const struct termios *) = dlsym(RTLD_NEXT, "tcsetattr");
  const char *path = getenv("SERIAL_ASKED");
  FILE *notes = path == NULL ? NULL : fopen(path, "w");
  port = fd;
  remembered = asked->c_cflag & FORGOTTEN;
  if (notes != NULL) {
    fprintf(notes, "%u", (unsigned)asked->c_cflag);
    fclose(notes);
  }
  return real(fd, actions, asked);
}
