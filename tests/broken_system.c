/* A system on which chosen calls fail, loaded in front of the C library.

   BROKEN_NAMES   names of hosts that end so are never found, nor said to be missing
   BROKEN_CALL    write, sync, rename, open or cut
   BROKEN_FILES   the call fails for files whose path holds this
   BROKEN_AT      the number of the first call that fails, from 1
   BROKEN_TIMES   how many fail; 0 for all from then on
   BROKEN_ERROR   the number of the error; 0 for a write of half of what was asked, and no error */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#define NEXT(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int number(const char *name, int otherwise) {
    const char *text = getenv(name);
    return text ? atoi(text) : otherwise;
}

static int fails(const char *call, const char *path) {
    static int seen = 0;
    const char *chosen = getenv("BROKEN_CALL"), *files = getenv("BROKEN_FILES");
    if (!chosen || !files || strcmp(chosen, call) || !path || !strstr(path, files)) return 0;
    int count = __sync_add_and_fetch(&seen, 1), at = number("BROKEN_AT", 1), times = number("BROKEN_TIMES", 1);
    return count >= at && (times == 0 || count < at + times);
}

static int fails_at(const char *call, int descriptor) {
    char link[64], path[4096];
    if (!getenv("BROKEN_CALL")) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return fails(call, path);
}

static int refused(void) {
    errno = number("BROKEN_ERROR", EIO);
    return -1;
}

ssize_t write(int descriptor, const void *data, size_t size) {
    if (fails_at("write", descriptor)) {
        if (number("BROKEN_ERROR", EIO)) return refused();
        size = size / 2;
    }
    return NEXT(write)(descriptor, data, size);
}

ssize_t pwrite64(int descriptor, const void *data, size_t size, off64_t at) {
    return fails_at("write", descriptor) ? refused() : NEXT(pwrite64)(descriptor, data, size, at);
}

int fsync(int descriptor) { return fails_at("sync", descriptor) ? refused() : NEXT(fsync)(descriptor); }

int fdatasync(int descriptor) { return fails_at("sync", descriptor) ? refused() : NEXT(fdatasync)(descriptor); }

int ftruncate(int descriptor, off_t size) {
    return fails_at("cut", descriptor) ? refused() : NEXT(ftruncate)(descriptor, size);
}

int ftruncate64(int descriptor, off64_t size) {
    return fails_at("cut", descriptor) ? refused() : NEXT(ftruncate64)(descriptor, size);
}

int rename(const char *from, const char *to) { return fails("rename", to) ? refused() : NEXT(rename)(from, to); }

int renameat(int there, const char *from, int here, const char *to) {
    return fails("rename", to) ? refused() : NEXT(renameat)(there, from, here, to);
}

int open64(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails("open", path) ? refused() : NEXT(open64)(path, flags, mode);
}

int open(const char *path, int flags, ...) {
    va_list more;
    va_start(more, flags);
    mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(more, mode_t) : 0;
    va_end(more);
    return fails("open", path) ? refused() : NEXT(open)(path, flags, mode);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    const char *ending = getenv("BROKEN_NAMES");
    if (ending && host && strlen(host) >= strlen(ending) && !strcmp(host + strlen(host) - strlen(ending), ending))
        for (;;) pause();
    return NEXT(getaddrinfo)(host, service, hints, found);
}
