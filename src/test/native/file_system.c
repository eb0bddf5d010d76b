/*
 * A file system that lacks what others have, before the C library's own functions (LD_PRELOAD). These variables of the
 * environment hold the error number of a call that fails, or the bytes that there is room for:
 *
 *   TEST_SYNC_FOLDER  fsync of a folder        TEST_LOCK    fcntl that locks
 *   TEST_SYNC_FILE    fsync of a file          TEST_RENAME  rename
 *   TEST_ROOM         bytes that all writes to files of this process together may take before the disk is full
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static int error_of(const char *name) {
  const char *number = getenv(name);
  return number == NULL ? 0 : atoi(number);
}

/* Whether the call is to fail; sets errno. */
static int fails(const char *name) {
  int number = error_of(name);
  if (number != 0) {
    errno = number;
  }
  return number != 0;
}

int fsync(int fd) {
  struct stat status;
  int is_folder = fstat(fd, &status) == 0 && S_ISDIR(status.st_mode);
  if (fails(is_folder ? "TEST_SYNC_FOLDER" : "TEST_SYNC_FILE")) {
    return -1;
  }
  int (*next)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fsync");
  return next(fd);
}

static int control(const char *function, int fd, int command, void *argument) {
  if (command == F_SETLK && fails("TEST_LOCK")) {
    return -1;
  }
  int (*next)(int, int, ...) = (int (*)(int, int, ...))dlsym(RTLD_NEXT, function);
  return next(fd, command, argument);
}

int fcntl(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  return control("fcntl", fd, command, argument);
}

int fcntl64(int fd, int command, ...) {
  va_list arguments;
  va_start(arguments, command);
  void *argument = va_arg(arguments, void *);
  va_end(arguments);
  return control("fcntl64", fd, command, argument);
}

int rename(const char *from, const char *to) {
  if (fails("TEST_RENAME")) {
    return -1;
  }
  int (*next)(const char *, const char *) = (int (*)(const char *, const char *))dlsym(RTLD_NEXT, "rename");
  return next(from, to);
}

/* As a disk does: what fits of the last write is written, the next one fails. */
ssize_t write(int fd, const void *bytes, size_t count) {
  static ssize_t taken;
  ssize_t (*next)(int, const void *, size_t) = (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
  const char *room = getenv("TEST_ROOM");
  struct stat status;
  if (room == NULL || fd <= STDERR_FILENO || fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    return next(fd, bytes, count);
  }
  ssize_t left = atoll(room) - __atomic_fetch_add(&taken, (ssize_t)count, __ATOMIC_SEQ_CST);
  if (left <= 0) {
    errno = ENOSPC;
    return -1;
  }
  return next(fd, bytes, left < (ssize_t)count ? (size_t)left : count);
}
