/*
 * What a user can do on a stock kernel, the other way: a page without access (mprotect), and SIGSEGV.
 *
 * Every round the page is protected and then written by the main thread, which is timed: fault, signal, mprotect, return,
 * the write itself. Two rows, in ns:
 *   sigsegv         the signal's handler calls mprotect itself
 *   sigsegv-thread  it asks a thread to, and waits for it: the thread that knows where the page is, as a device's would
 */
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "floor.h"

static size_t page_size;
static bool by_thread;
static sem_t asked;
static sem_t answered;
static void *volatile wanted; /* NULL: stop */

static void give_access(void *page) {
    if (mprotect(page, page_size, PROT_READ | PROT_WRITE) != 0) {
        _exit(1);
    }
}

static void on_fault(int signal, siginfo_t *info, void *context) {
    (void)signal;
    (void)context;
    void *page = (void *)((uintptr_t)info->si_addr & ~(page_size - 1));
    if (!by_thread) {
        give_access(page);
        return;
    }
    wanted = page;
    sem_post(&asked);
    while (sem_wait(&answered) != 0) {
    }
}

static void *serve(void *unused) {
    while (true) {
        while (sem_wait(&asked) != 0) {
        }
        if (wanted == NULL) {
            return unused;
        }
        give_access(wanted);
        sem_post(&answered);
    }
}

static void measure(const struct options *options, volatile unsigned char *pages, struct samples *samples) {
    long round = 0;
    for (const uint64_t start = now(); goes_on(options, round, start); round++) {
        volatile unsigned char *page = pages + (size_t)(round % options->pages) * page_size;
        const unsigned char before = page[8];
        if (mprotect((void *)(uintptr_t)page, page_size, PROT_NONE) != 0) {
            fail("mprotect: %s", strerror(errno));
        }
        const uint64_t begin = now();
        page[8]++;
        add_sample(samples, begin, now(), 1);
        if (page[8] != (unsigned char)(before + 1)) {
            fail("a write was lost");
        }
    }
}

int main(int count, char **arguments) {
    const struct options options = parse_options(count, arguments, "sigsegv", 16);
    page_size = (size_t)sysconf(_SC_PAGESIZE);
    calibrate_clock();
    volatile unsigned char *pages =
        mmap(NULL, (size_t)options.pages * page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
    if (pages == MAP_FAILED || sigaction(SIGSEGV, &action, NULL) != 0) {
        fail("mmap or sigaction: %s", strerror(errno));
    }
    struct samples alone = new_samples(SAMPLES_MAX);
    struct samples with_thread = new_samples(SAMPLES_MAX);
    measure(&options, pages, &alone);
    pthread_t handler;
    if (sem_init(&asked, 0, 0) != 0 || sem_init(&answered, 0, 0) != 0 || pthread_create(&handler, NULL, serve, NULL) != 0) {
        fail("no handler thread");
    }
    by_thread = true;
    measure(&options, pages, &with_thread);
    wanted = NULL;
    sem_post(&asked);
    pthread_join(handler, NULL);
    begin_output("sigsegv");
    print_row("sigsegv", &alone);
    print_row("sigsegv-thread", &with_thread);
    end_output(NULL);
    return 0;
}
