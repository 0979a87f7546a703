/*
 * What a user can do on a stock kernel, one way: pages that are missing, and a thread that brings them (userfaultfd).
 *
 * Every round the page is discarded (MADV_DONTNEED) and then written by the main thread, which is timed: fault, message to
 * the handler's thread, UFFDIO_COPY of a page, wake-up, the write itself.
 *
 * Row: userfault, in ns; unavailable, with the reason, where the kernel does not let this process have a userfaultfd.
 */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "floor.h"

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

/* poll() refuses a blocking one. */
enum { PAGE = 4096, FLAGS = O_CLOEXEC | O_NONBLOCK };

static int faults = -1;
static int stop_pipe[2];
static unsigned char contents[PAGE] __attribute__((aligned(PAGE)));

/* The system call, the same for faults of user code only, the device; -1 if none works, errno says why. */
static int open_userfaultfd(void) {
    int descriptor = (int)syscall(SYS_userfaultfd, FLAGS);
    if (descriptor < 0 && errno == EPERM) {
        descriptor = (int)syscall(SYS_userfaultfd, FLAGS | UFFD_USER_MODE_ONLY);
    }
    if (descriptor < 0 && errno == EPERM) {
        const int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
        if (device < 0) {
            errno = EPERM;
            return -1;
        }
        descriptor = ioctl(device, USERFAULTFD_IOC_NEW, FLAGS);
        close(device);
    }
    return descriptor;
}

/* Serves one fault after the other until the pipe is closed. */
static void *serve(void *unused) {
    struct pollfd watched[2] = {{faults, POLLIN, 0}, {stop_pipe[0], POLLIN, 0}};
    while (true) {
        if (poll(watched, 2, -1) < 0 && errno != EINTR) {
            fail("poll: %s", strerror(errno));
        }
        if (watched[1].revents != 0) {
            return unused;
        }
        struct uffd_msg message;
        const ssize_t length = read(faults, &message, sizeof message);
        if (length < 0 && errno == EAGAIN) {
            continue;
        }
        if (length != sizeof message || message.event != UFFD_EVENT_PAGEFAULT) {
            fail("userfaultfd: no page fault read");
        }
        struct uffdio_copy copy = {.dst = message.arg.pagefault.address & ~(uint64_t)(PAGE - 1),
                                   .src = (uint64_t)(uintptr_t)contents, .len = PAGE};
        if (ioctl(faults, UFFDIO_COPY, &copy) != 0) {
            fail("UFFDIO_COPY: %s", strerror(errno));
        }
    }
}

static void unavailable(const char *what) {
    char reason[160];
    snprintf(reason, sizeof reason, "%s: %s", what, strerror(errno));
    begin_output("userfault");
    print_unavailable("userfault", reason);
    end_output(NULL);
    exit(0);
}

int main(int count, char **arguments) {
    const struct options options = parse_options(count, arguments, "userfault", 16);
    const size_t length = (size_t)options.pages * PAGE;
    calibrate_clock();
    if (sysconf(_SC_PAGESIZE) != PAGE) {
        errno = ENOTSUP;
        unavailable("pages are not of 4096 bytes");
    }
    faults = open_userfaultfd();
    if (faults < 0) {
        unavailable("userfaultfd");
    }
    struct uffdio_api api = {.api = UFFD_API};
    if (ioctl(faults, UFFDIO_API, &api) != 0) {
        unavailable("UFFDIO_API");
    }
    volatile unsigned char *pages = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED) {
        fail("mmap: %s", strerror(errno));
    }
    struct uffdio_register registration = {.range = {(uint64_t)(uintptr_t)pages, length},
                                           .mode = UFFDIO_REGISTER_MODE_MISSING};
    if (ioctl(faults, UFFDIO_REGISTER, &registration) != 0) {
        unavailable("UFFDIO_REGISTER");
    }
    memset(contents, 7, PAGE);
    struct samples samples = new_samples(SAMPLES_MAX);
    pthread_t handler;
    if (pipe(stop_pipe) != 0 || pthread_create(&handler, NULL, serve, NULL) != 0) {
        fail("no handler thread");
    }
    long round = 0;
    for (const uint64_t start = now(); goes_on(&options, round, start); round++) {
        volatile unsigned char *page = pages + (size_t)(round % options.pages) * PAGE;
        if (madvise((void *)(uintptr_t)page, PAGE, MADV_DONTNEED) != 0) {
            fail("madvise: %s", strerror(errno));
        }
        const uint64_t begin = now();
        page[8]++;
        add_sample(&samples, begin, now(), 1);
        if (page[8] != 8) {
            fail("the page is not the handler's");
        }
    }
    close(stop_pipe[1]);
    pthread_join(handler, NULL);
    begin_output("userfault");
    print_row("userfault", &samples);
    end_output(NULL);
    return 0;
}
