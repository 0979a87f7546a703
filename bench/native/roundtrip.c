/*
 * Core to core: two threads, a word each way, each word on lines of its own; one sends a number, the other one answers
 * with it. The floor of anything that one thread asks another one to do.
 *
 * Rows: round-trip, in ns: from the store of the question to the load of its answer, each one timed. round-trip-batch: the
 * mean of 1000 in a row, with no clock between them. Each thread is pinned to a core of its own if there are two that it
 * may use; otherwise the figures would be the scheduler's, and there are none.
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#include "floor.h"

enum { BATCH = 1000, BATCHES_EVERY = 100 };

struct word {
    _Alignas(128) _Atomic uint64_t value;
    char rest[120];
};

static struct word question;
static struct word answer;
static _Atomic bool stopping;
static int cores[2];

static void pin(int core) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(core, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0) {
        fail("cannot pin a thread to core %d: %s", core, strerror(errno));
    }
}

static inline void spin(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

static void *answer_questions(void *unused) {
    pin(cores[1]);
    uint64_t seen = 0;
    while (!atomic_load_explicit(&stopping, memory_order_relaxed)) {
        const uint64_t asked = atomic_load_explicit(&question.value, memory_order_acquire);
        if (asked != seen) {
            seen = asked;
            atomic_store_explicit(&answer.value, asked, memory_order_release);
        } else {
            spin();
        }
    }
    return unused;
}

static inline void ask(uint64_t number) {
    atomic_store_explicit(&question.value, number, memory_order_release);
    while (atomic_load_explicit(&answer.value, memory_order_acquire) != number) {
        spin();
    }
}

/* Two cores that this process may use; false if there is but one. */
static bool find_cores(void) {
    cpu_set_t set;
    if (sched_getaffinity(0, sizeof set, &set) != 0) {
        fail("sched_getaffinity: %s", strerror(errno));
    }
    int found = 0;
    for (int core = 0; core < CPU_SETSIZE && found < 2; core++) {
        if (CPU_ISSET(core, &set)) {
            cores[found++] = core;
        }
    }
    return found == 2;
}

int main(int count, char **arguments) {
    const struct options options = parse_options(count, arguments, "roundtrip", 1);
    calibrate_clock();
    if (!find_cores()) {
        begin_output("roundtrip");
        print_unavailable("round-trip", "two cores are needed, this process may use one");
        print_unavailable("round-trip-batch", "two cores are needed, this process may use one");
        end_output(NULL);
        return 0;
    }
    struct samples single = new_samples(SAMPLES_MAX);
    struct samples batches = new_samples(SAMPLES_MAX);
    pthread_t other;
    if (pthread_create(&other, NULL, answer_questions, NULL) != 0) {
        fail("no second thread");
    }
    pin(cores[0]);
    uint64_t number = 0;
    while (number < 10L * BATCH) {
        ask(++number);
    }
    long round = 0;
    for (const uint64_t start = now(); goes_on(&options, round, start); round++) {
        const uint64_t begin = now();
        ask(++number);
        add_sample(&single, begin, now(), 1);
        if (round % BATCHES_EVERY == 0) {
            const uint64_t batch = now();
            for (int i = 0; i < BATCH; i++) {
                ask(++number);
            }
            add_sample(&batches, batch, now(), BATCH);
        }
    }
    atomic_store(&stopping, true);
    pthread_join(other, NULL);
    char note[80];
    snprintf(note, sizeof note, "pinned to cores %d and %d", cores[0], cores[1]);
    begin_output("roundtrip");
    print_row("round-trip", &single);
    print_row("round-trip-batch", &batches);
    end_output(note);
    return 0;
}
