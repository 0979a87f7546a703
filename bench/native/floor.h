/*
 * What the programs of this folder share: the clock, samples and their percentiles, arguments, and the JSON they print.
 *
 * A program prints one object on stdout:
 *   {"program":NAME,"clockNs":C,"notes":[...],"rows":[{"name","unit":"ns","count","mean","median","p99","max"},
 *                                                     {"name","unavailable":REASON}]}
 * clockNs is what two readings of the clock in a row are apart; it has been subtracted from every sample.
 * Wrong arguments: one line on stderr, exit 2. A check of the program's own that fails: one line, exit 1.
 */
#ifndef FLOOR_H
#define FLOOR_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static inline void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    exit(1);
}

static inline void *allocate(size_t bytes) {
    const size_t rounded = (bytes + 4095) & ~(size_t)4095;
    void *memory = aligned_alloc(4096, rounded);
    if (memory == NULL) {
        fail("no memory: %zu bytes", rounded);
    }
    memset(memory, 0, rounded); /* touched here, not while something is timed */
    return memory;
}

/* ---- clock ------------------------------------------------------------------------------------------------- */

static double clock_ns;

static inline uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- samples ----------------------------------------------------------------------------------------------- */

#define SAMPLES_MAX (1u << 21)

struct samples {
    float *values; /* ns per operation */
    size_t count;
};

static inline struct samples new_samples(size_t capacity) {
    return (struct samples){allocate(capacity * sizeof(float)), 0};
}

/* One sample: the mean of the operations between two readings of the clock. */
static inline void add_sample(struct samples *samples, uint64_t begin, uint64_t end, long operations) {
    if (samples->count < SAMPLES_MAX) {
        const double ns = (double)(end - begin) - clock_ns;
        samples->values[samples->count++] = (float)((ns > 0 ? ns : 0) / (double)operations);
    }
}

static inline int compare_floats(const void *a, const void *b) {
    const float left = *(const float *)a;
    const float right = *(const float *)b;
    return (left > right) - (left < right);
}

/* The smallest sample that is not below the given part of all; the samples are sorted. */
static inline double quantile(const struct samples *sorted, double part) {
    const size_t at = (size_t)(part * (double)sorted->count);
    return sorted->values[at < sorted->count ? at : sorted->count - 1];
}

/* What two readings in a row are apart: the median, since an interrupt makes some of them longer. */
static inline void calibrate_clock(void) {
    enum { READINGS = 20001 };
    struct samples readings = new_samples(READINGS);
    clock_ns = 0;
    for (int i = 0; i < READINGS; i++) {
        const uint64_t begin = now();
        const uint64_t end = now();
        add_sample(&readings, begin, end, 1);
    }
    qsort(readings.values, readings.count, sizeof(float), compare_floats);
    clock_ns = quantile(&readings, 0.5);
    free(readings.values);
}

/* ---- output ------------------------------------------------------------------------------------------------ */

static bool first_row = true;

static inline void begin_output(const char *program) {
    printf("{\"program\":\"%s\",\"clockNs\":%.2f,\"rows\":[", program, clock_ns);
}

static inline void begin_row(const char *name) {
    printf("%s{\"name\":\"%s\"", first_row ? "" : ",", name);
    first_row = false;
}

static inline void print_unavailable(const char *name, const char *reason) {
    begin_row(name);
    printf(",\"unavailable\":\"%s\"}", reason); /* reasons contain nothing that JSON escapes */
}

static inline void print_row(const char *name, struct samples *samples) {
    if (samples->count == 0) {
        print_unavailable(name, "no sample was taken");
        return;
    }
    double sum = 0;
    for (size_t i = 0; i < samples->count; i++) {
        sum += samples->values[i];
    }
    qsort(samples->values, samples->count, sizeof(float), compare_floats);
    begin_row(name);
    printf(",\"unit\":\"ns\",\"count\":%zu,\"mean\":%.3f,\"median\":%.3f,\"p99\":%.3f,\"max\":%.3f}", samples->count,
           sum / (double)samples->count, quantile(samples, 0.5), quantile(samples, 0.99), quantile(samples, 1));
}

/* The rest of the object; a note may be NULL. */
static inline void end_output(const char *note) {
    if (note == NULL) {
        printf("],\"notes\":[]}\n");
    } else {
        printf("],\"notes\":[\"%s\"]}\n", note);
    }
}

/* ---- arguments --------------------------------------------------------------------------------------------- */

struct options {
    double seconds; /* ends the measurement, unless rounds does; per measured thing */
    long rounds;    /* 0: as many as fit the time */
    long pages;
};

static inline void usage(const char *program, const char *wrong, const char *value) {
    fprintf(stderr, "%s: %s '%s' (--seconds 0.01..600, --rounds 1..1000000000, --pages 1..4096)\n", program, wrong, value);
    exit(2);
}

static inline double number(const char *program, const char *value, double least, double most) {
    char *end;
    errno = 0;
    const double parsed = strtod(value, &end);
    if (errno != 0 || end == value || *end != '\0' || !(parsed >= least && parsed <= most)) {
        usage(program, "bad value", value);
    }
    return parsed;
}

static inline struct options parse_options(int count, char **arguments, const char *program, long pages) {
    struct options options = {1, 0, pages};
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count) {
            usage(program, "value missing or unknown option", arguments[i]);
        }
        if (strcmp(arguments[i], "--seconds") == 0) {
            options.seconds = number(program, arguments[i + 1], 0.01, 600);
        } else if (strcmp(arguments[i], "--rounds") == 0) {
            options.rounds = (long)number(program, arguments[i + 1], 1, 1e9);
        } else if (strcmp(arguments[i], "--pages") == 0) {
            options.pages = (long)number(program, arguments[i + 1], 1, 4096);
        } else {
            usage(program, "unknown option", arguments[i]);
        }
    }
    return options;
}

/* Whether to go on: the round that would begin now, and the time at which the first one began. */
static inline bool goes_on(const struct options *options, long round, uint64_t begin) {
    if (options->rounds != 0) {
        return round < options->rounds;
    }
    return round < (long)SAMPLES_MAX && (double)(now() - begin) < options->seconds * 1e9;
}

#endif
