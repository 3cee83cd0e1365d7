/* Preloaded into a server under test.
 *
 * HOLD: the process stops itself before `main`, so that a tracer can come when the loader is done.
 *
 * SHORT_CALL, SHORT_NTH, SHORT_LOG: the n-th transfer of that name to or from a regular file, counted
 * from 1 over all threads, moves only half of what was asked for, as a kernel may; the file SHORT_LOG
 * is made then. strace cannot do this: it makes up a return value, and nothing is transferred.
 *
 * CLOCK_FILE: the wall clock of this process is away by the seconds (a binary int64) in this file, which
 * may change at any time. The kernel's vDSO is patched in memory, because the server asks it without
 * libc, where libfaketime would stand. No other clock is touched, and no other process. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

__attribute__((constructor)) static void hold(void)
{
    if (!getenv("HOLD"))
        return;
    prctl(PR_SET_PTRACER, PR_SET_PTRACER_ANY);
    raise(SIGSTOP);
}

static const volatile int64_t *away;

static int shifted(clockid_t clock, struct timespec *into)
{
    long result = syscall(SYS_clock_gettime, clock, into);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        into->tv_sec += *away;
    return (int)result;
}

static void give_up(const char *why)
{
    fprintf(stderr, "preload: %s\n", why);
    _exit(125);
}

static void jump(unsigned char *from, int (*to)(clockid_t, struct timespec *))
{
#if defined(__x86_64__)
    unsigned char code[] = {0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0}; /* mov rax, to; jmp rax */
    memcpy(code + 2, &to, sizeof to);
#elif defined(__aarch64__)
    unsigned char code[] = {0x50, 0, 0, 0x58, 0, 2, 0x1f, 0xd6, 0, 0, 0, 0, 0, 0, 0, 0}; /* ldr x16, to; br x16 */
    memcpy(code + 8, &to, sizeof to);
#else
#error "no jump for this processor"
#endif
    unsigned char *page = (unsigned char *)((uintptr_t)from & ~(uintptr_t)4095);
    if (mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) != 0 &&
        mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) != 0)
        give_up("the vDSO cannot be written");
    memcpy(from, code, sizeof code);
    __builtin___clear_cache((char *)from, (char *)from + sizeof code);
}

__attribute__((constructor)) static void shift_the_wall_clock(void)
{
    const char *path = getenv("CLOCK_FILE");
    if (!path)
        return;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    void *seen = file < 0 ? MAP_FAILED : mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
    void *vdso = dlopen("linux-vdso.so.1", RTLD_LAZY | RTLD_NOLOAD);
    unsigned char *read_clock = vdso ? dlsym(vdso, "__vdso_clock_gettime") : NULL;
    if (!read_clock && vdso)
        read_clock = dlsym(vdso, "__kernel_clock_gettime");
    if (seen == MAP_FAILED || !read_clock)
        give_up("no clock file, or no vDSO");
    close(file);
    away = seen;
    jump(read_clock, shifted);
}

static size_t cut(const char *call, int fd, size_t length)
{
    static atomic_int met;
    struct stat kind;
    const char *wanted = getenv("SHORT_CALL"), *nth = getenv("SHORT_NTH"), *log = getenv("SHORT_LOG");
    if (!wanted || !nth || !log || strcmp(wanted, call) != 0 || length < 2)
        return length;
    if (fstat(fd, &kind) != 0 || !S_ISREG(kind.st_mode))
        return length;
    if (atomic_fetch_add(&met, 1) + 1 != atoi(nth))
        return length;
    close(open(log, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    return length / 2;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t read(int fd, void *into, size_t length)
{
    return REAL(read)(fd, into, cut("read", fd, length));
}

ssize_t write(int fd, const void *from, size_t length)
{
    return REAL(write)(fd, from, cut("write", fd, length));
}

ssize_t pread64(int fd, void *into, size_t length, off64_t at)
{
    return REAL(pread64)(fd, into, cut("pread64", fd, length), at);
}

ssize_t pwrite64(int fd, const void *from, size_t length, off64_t at)
{
    return REAL(pwrite64)(fd, from, cut("pwrite64", fd, length), at);
}
