/*
 * A library between a program and the C library (LD_PRELOAD). For what lies below one folder it
 *
 *  - writes down every change in order, with its data, and every fsync: from that journal a test builds the disks that
 *    a power cut at any instant may leave, with what was not synchronized forgotten;
 *  - makes the disk full, read-only, unreadable or slow.
 *
 * For the whole process it sets the wall clock, breaks name resolution and gives the system other trust anchors. What
 * it does is told by a control page that the test writes while the program runs.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netdb.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Layout known to fault-layer.ts. */
struct control {
  _Atomic int64_t clock_offset_ms;
  _Atomic int64_t quota_bytes; /* of writes that still succeed; negative: no limit */
  _Atomic int32_t read_only;   /* EROFS for every change */
  _Atomic int32_t read_error;  /* EIO for every read */
  _Atomic int32_t slow_ms;     /* before every read, write and fsync */
  _Atomic int32_t names;       /* 0 works, 1 EAI_NONAME, 2 EAI_AGAIN, 3 answers after 5 s */
  _Atomic int64_t struck;      /* faults dealt out */
  _Atomic int32_t sync_error;  /* EIO for every fsync */
};

static struct control none = {.quota_bytes = -1};
/* Other libraries look at the clock before this one has begun. */
static struct control *control = &none;
static char prefix[PATH_MAX];
static size_t prefix_length;
static int journal = -1;
static pthread_mutex_t order = PTHREAD_MUTEX_INITIALIZER;

enum { most_files = 65536 };
static _Atomic unsigned char watched[most_files];

#define REAL(name) \
  static __typeof__(&name) real; \
  if (real == NULL) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

__attribute__((constructor)) static void begin(void) {
  const char *page = getenv("SIGNET_LAYER_CONTROL");
  const char *folder = getenv("SIGNET_LAYER_FOLDER");
  const char *file = getenv("SIGNET_LAYER_JOURNAL");
  if (folder != NULL && strlen(folder) < sizeof prefix - 1) {
    strcpy(prefix, folder);
    prefix_length = strlen(prefix);
  }
  if (page != NULL) {
    int fd = open(page, O_RDWR | O_CLOEXEC);
    void *mapped = fd < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED) control = mapped;
  }
  if (file != NULL) journal = open(file, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

static int inside(const char *path) {
  return prefix_length > 0 && strncmp(path, prefix, prefix_length) == 0 &&
         (path[prefix_length] == '/' || path[prefix_length] == '\0');
}

/* A file may be closed past this library (libuv does), and its number be given to another. */
static int is_inside(int fd) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  ssize_t length = readlink(link, path, sizeof path - 1);
  path[length > 0 ? length : 0] = '\0';
  return inside(path);
}

static int is_faulty(void) {
  return control->quota_bytes >= 0 || control->read_only || control->read_error || control->sync_error ||
         control->slow_ms > 0;
}

static int is_watched(int fd) {
  if (fd < 0 || fd >= most_files || !watched[fd]) return 0;
  if (is_faulty() && !is_inside(fd)) watched[fd] = 0;
  return watched[fd];
}

static int strike(int code) {
  control->struck++;
  errno = code;
  return -1;
}

static void pause_a_while(void) {
  int ms = control->slow_ms;
  if (ms <= 0) return;
  control->struck++;
  struct timespec t = {ms / 1000, (ms % 1000) * 1000000L};
  nanosleep(&t, NULL);
}

/* One entry: a fixed head, then the two paths and the data. */
struct head {
  uint32_t type, path_length, other_length, data_length;
  uint64_t inode, offset;
};

static void note(char type, const char *path, const char *other, uint64_t inode, uint64_t offset, const void *data,
                 size_t length) {
  if (journal < 0) return;
  struct head head = {(uint32_t)type, path ? strlen(path) : 0, other ? strlen(other) : 0, (uint32_t)length, inode, offset};
  struct iovec parts[] = {{&head, sizeof head},
                          {(void *)path, head.path_length},
                          {(void *)other, head.other_length},
                          {(void *)data, length}};
  REAL(writev);
  if (real(journal, parts, 4) < 0) abort();
}

static uint64_t inode_of(int fd) {
  struct stat info;
  return fstat(fd, &info) == 0 ? info.st_ino : 0;
}

/* Changes of names. */

static int opened(int fd, const char *path, int flags, int was_there) {
  if (fd < 0 || fd >= most_files) return fd;
  watched[fd] = 1;
  if (!was_there) note('C', path, NULL, inode_of(fd), 0, NULL, 0);
  if (was_there && (flags & O_TRUNC)) note('T', NULL, NULL, inode_of(fd), 0, NULL, 0);
  return fd;
}

/* Whom the system trusts, for the whole process. */
static const char *trusted(const char *path) {
  const char *anchors = getenv("SIGNET_LAYER_ANCHORS");
  return anchors != NULL && strcmp(path, "/etc/ssl/certs/ca-certificates.crt") == 0 ? anchors : path;
}

#define OPEN_BODY(name, ...) \
  int mode = 0; \
  if (flags & (O_CREAT | O_TMPFILE)) { \
    va_list rest; \
    va_start(rest, flags); \
    mode = va_arg(rest, int); \
    va_end(rest); \
  } \
  REAL(name); \
  if (!inside(path)) return real(__VA_ARGS__); \
  int writes = (flags & O_ACCMODE) != O_RDONLY || (flags & O_CREAT); \
  if (writes && control->read_only) return strike(EROFS); \
  pthread_mutex_lock(&order); \
  int was_there = access(path, F_OK) == 0; \
  if (!was_there && (flags & O_CREAT) && control->quota_bytes == 0) { \
    pthread_mutex_unlock(&order); \
    return strike(ENOSPC); \
  } \
  int fd = real(__VA_ARGS__); \
  int code = errno; \
  opened(fd, path, flags, was_there); \
  pthread_mutex_unlock(&order); \
  errno = code; \
  return fd;

int open(const char *path, int flags, ...) { OPEN_BODY(open, path, flags, mode) }
int open64(const char *path, int flags, ...) { OPEN_BODY(open64, path, flags, mode) }
int openat(int at, const char *path, int flags, ...) { OPEN_BODY(openat, at, path, flags, mode) }
int openat64(int at, const char *path, int flags, ...) { OPEN_BODY(openat64, at, path, flags, mode) }

FILE *fopen(const char *restrict path, const char *restrict mode) {
  REAL(fopen);
  return real(trusted(path), mode);
}
FILE *fopen64(const char *restrict path, const char *restrict mode) {
  REAL(fopen64);
  return real(trusted(path), mode);
}

int close(int fd) {
  REAL(close);
  if (fd >= 0 && fd < most_files) watched[fd] = 0;
  return real(fd);
}

#define CHANGE(condition, call, entry) \
  if (!(condition)) return call; \
  if (control->read_only) return strike(EROFS); \
  pthread_mutex_lock(&order); \
  int result = call; \
  int code = errno; \
  if (result == 0) entry; \
  pthread_mutex_unlock(&order); \
  errno = code; \
  return result;

int rename(const char *from, const char *to) {
  REAL(rename);
  CHANGE(inside(from) || inside(to), real(from, to), note('R', from, to, 0, 0, NULL, 0))
}
int unlink(const char *path) {
  REAL(unlink);
  CHANGE(inside(path), real(path), note('U', path, NULL, 0, 0, NULL, 0))
}
int rmdir(const char *path) {
  REAL(rmdir);
  CHANGE(inside(path), real(path), note('U', path, NULL, 0, 0, NULL, 0))
}
int mkdir(const char *path, mode_t mode) {
  REAL(mkdir);
  if (inside(path) && control->quota_bytes == 0) return strike(ENOSPC);
  CHANGE(inside(path), real(path, mode), note('D', path, NULL, 0, 0, NULL, 0))
}

/* Changes of content. */

static int shorten(int fd, off64_t length, int (*real)(int, off64_t)) {
  CHANGE(is_watched(fd), real(fd, length), note('T', NULL, NULL, inode_of(fd), (uint64_t)length, NULL, 0))
}
int ftruncate(int fd, off_t length) {
  REAL(ftruncate);
  return shorten(fd, length, (int (*)(int, off64_t))real);
}
int ftruncate64(int fd, off64_t length) {
  REAL(ftruncate64);
  return shorten(fd, length, real);
}

/* How many of `length` bytes the disk still takes: all, some, or none. */
static size_t take(size_t length) {
  int64_t left = control->quota_bytes;
  for (;;) {
    if (left < 0) return length;
    int64_t taken = left < (int64_t)length ? left : (int64_t)length;
    if (atomic_compare_exchange_weak(&control->quota_bytes, &left, left - taken)) return (size_t)taken;
  }
}

static ssize_t put(int fd, const void *data, size_t length, off64_t at, ssize_t (*call)(int, const void *, size_t, off64_t)) {
  pause_a_while();
  if (control->read_only) return strike(EROFS);
  size_t allowed = take(length);
  if (allowed == 0 && length > 0) return strike(ENOSPC);
  pthread_mutex_lock(&order);
  int64_t offset = at >= 0 ? at : lseek64(fd, 0, SEEK_CUR);
  ssize_t written = call(fd, data, allowed, at);
  int code = errno;
  if (written > 0) note('W', NULL, NULL, inode_of(fd), (uint64_t)offset, data, (size_t)written);
  pthread_mutex_unlock(&order);
  errno = code;
  return written;
}

static ssize_t plain_write(int fd, const void *data, size_t length, off64_t at) {
  (void)at;
  REAL(write);
  return real(fd, data, length);
}
static ssize_t placed_write(int fd, const void *data, size_t length, off64_t at) {
  REAL(pwrite64);
  return real(fd, data, length, at);
}

/* A vector is written piece by piece; a piece that does not go through ends it, as it may. */
static ssize_t put_all(int fd, const struct iovec *parts, int count, off64_t at,
                       ssize_t (*call)(int, const void *, size_t, off64_t)) {
  ssize_t total = 0;
  for (int i = 0; i < count; i++) {
    ssize_t written = put(fd, parts[i].iov_base, parts[i].iov_len, at < 0 ? at : at + total, call);
    if (written < 0) return total > 0 ? total : written;
    total += written;
    if ((size_t)written < parts[i].iov_len) break;
  }
  return total;
}

ssize_t write(int fd, const void *data, size_t length) {
  REAL(write);
  return is_watched(fd) ? put(fd, data, length, -1, plain_write) : real(fd, data, length);
}
ssize_t pwrite(int fd, const void *data, size_t length, off_t at) {
  REAL(pwrite);
  return is_watched(fd) ? put(fd, data, length, at, placed_write) : real(fd, data, length, at);
}
ssize_t pwrite64(int fd, const void *data, size_t length, off64_t at) {
  REAL(pwrite64);
  return is_watched(fd) ? put(fd, data, length, at, placed_write) : real(fd, data, length, at);
}
ssize_t writev(int fd, const struct iovec *parts, int count) {
  REAL(writev);
  return is_watched(fd) ? put_all(fd, parts, count, -1, plain_write) : real(fd, parts, count);
}
ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) {
  REAL(pwritev);
  return is_watched(fd) ? put_all(fd, parts, count, at, placed_write) : real(fd, parts, count, at);
}
ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at) {
  REAL(pwritev64);
  return is_watched(fd) ? put_all(fd, parts, count, at, placed_write) : real(fd, parts, count, at);
}

static int flush(int fd, int (*real)(int)) {
  if (!is_watched(fd)) return real(fd);
  pause_a_while();
  if (control->read_only) return strike(EROFS);
  if (control->sync_error) return strike(EIO);
  pthread_mutex_lock(&order);
  int result = real(fd);
  int code = errno;
  if (result == 0) {
    char link[64], path[PATH_MAX];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    path[length > 0 ? length : 0] = '\0';
    note('S', path, NULL, inode_of(fd), 0, NULL, 0);
  }
  pthread_mutex_unlock(&order);
  errno = code;
  return result;
}
int fsync(int fd) {
  REAL(fsync);
  return flush(fd, real);
}
int fdatasync(int fd) {
  REAL(fdatasync);
  return flush(fd, real);
}

/* Reads. */

#define READ_BODY(name, ...) \
  REAL(name); \
  if (is_watched(fd)) { \
    pause_a_while(); \
    if (control->read_error) return strike(EIO); \
  } \
  return real(__VA_ARGS__);

ssize_t read(int fd, void *data, size_t length) { READ_BODY(read, fd, data, length) }
ssize_t pread(int fd, void *data, size_t length, off_t at) { READ_BODY(pread, fd, data, length, at) }
ssize_t pread64(int fd, void *data, size_t length, off64_t at) { READ_BODY(pread64, fd, data, length, at) }
ssize_t readv(int fd, const struct iovec *parts, int count) { READ_BODY(readv, fd, parts, count) }
ssize_t preadv(int fd, const struct iovec *parts, int count, off_t at) { READ_BODY(preadv, fd, parts, count, at) }
ssize_t preadv64(int fd, const struct iovec *parts, int count, off64_t at) { READ_BODY(preadv64, fd, parts, count, at) }

/* The wall clock. The monotonic one is left alone: timers go on, as they do when somebody sets the time. */

int clock_gettime(clockid_t clock, struct timespec *time) {
  REAL(clock_gettime);
  int result = real(clock, time);
  if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) {
    int64_t ms = control->clock_offset_ms;
    int64_t ns = time->tv_nsec + (ms % 1000) * 1000000;
    time->tv_sec += ms / 1000 + (ns < 0 ? -1 : ns >= 1000000000 ? 1 : 0);
    time->tv_nsec = ns < 0 ? ns + 1000000000 : ns >= 1000000000 ? ns - 1000000000 : ns;
  }
  return result;
}
int gettimeofday(struct timeval *restrict time, void *restrict zone) {
  (void)zone;
  struct timespec precise;
  if (clock_gettime(CLOCK_REALTIME, &precise) != 0) return -1;
  time->tv_sec = precise.tv_sec;
  time->tv_usec = precise.tv_nsec / 1000;
  return 0;
}
time_t time(time_t *to) {
  struct timespec precise;
  clock_gettime(CLOCK_REALTIME, &precise);
  if (to != NULL) *to = precise.tv_sec;
  return precise.tv_sec;
}

int getaddrinfo(const char *restrict name, const char *restrict service, const struct addrinfo *restrict hints,
                struct addrinfo **restrict found) {
  REAL(getaddrinfo);
  int names = control->names;
  if (names != 0) control->struck++;
  if (names == 1) return EAI_NONAME;
  if (names == 2) return EAI_AGAIN;
  if (names == 3) {
    struct timespec t = {5, 0};
    nanosleep(&t, NULL);
  }
  return real(name, service, hints, found);
}
