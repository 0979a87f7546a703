/* NotifierState, SubscriberList, IntervalSubscription: spans, and who hears of them. */
#ifndef NOTIFY_H
#define NOTIFY_H

#include "machine.h"

enum event { CLEAR, EXCLUSIVE };

struct notifier_range {
    uint64_t start;
    uint64_t end;
    enum event event;
    uint64_t owner;
    bool blockable;
};

struct subscription; /* IntervalSubscription: a driver's range */

typedef bool (*interval_callback)(void *driver, struct subscription *subscription, const struct notifier_range *range,
                                  uint64_t sequence);
typedef bool (*start_callback)(void *driver, const struct notifier_range *range);
typedef void (*end_callback)(void *driver, const struct notifier_range *range);

struct subscription {
    interval_callback invalidate;
    void *driver;
    uint64_t start;
    uint64_t last;
    bool in_index;
    word sequence;
};

/* NotifierSubscriber: hears of every span of the address space. */
struct subscriber {
    start_callback invalidate_start;
    end_callback invalidate_end;
    void *driver;
};

enum { INTERVALS = 1, LIST = 2, SUBSCRIPTIONS_MAX = 8, SUBSCRIBERS_MAX = 8 };

struct notifier_state {
    word published;
    struct spin_lock lock;
    struct wait_queue readers;
    /* Under the lock: */
    word seq;
    uint64_t active_spans;
    int size;
    uint64_t starts[SUBSCRIPTIONS_MAX];
    uint64_t lasts[SUBSCRIPTIONS_MAX];
    struct subscription *subscriptions[SUBSCRIPTIONS_MAX];
    /* SubscriberList: read inside a section. */
    struct srcu_domain *srcu;
    word subscriber_count;
    word ends; /* subscribers that want to hear of ends */
    struct subscriber *subscribers[SUBSCRIBERS_MAX];
};

static inline int next_overlap(const struct notifier_state *state, int from, uint64_t start, uint64_t last) {
    for (int i = from; i < state->size; i++) {
        if (state->starts[i] > last) {
            return -1;
        }
        if (state->lasts[i] >= start) {
            return i;
        }
    }
    return -1;
}

/* mn_itree_invalidate */
static inline void start_intervals(struct notifier_state *state, const struct notifier_range *range) {
    const uint64_t last = range->end - 1;
    spin_lock(&state->lock);
    state->active_spans++;
    int at = next_overlap(state, 0, range->start, last);
    if (at >= 0) {
        store_release(&state->seq, load_opaque(&state->seq) | 1);
    }
    const uint64_t current = load_opaque(&state->seq);
    spin_unlock(&state->lock);
    while (at >= 0) {
        struct subscription *subscription = state->subscriptions[at];
        if (!subscription->invalidate(subscription->driver, subscription, range, current)) {
            fail("a callback refused a blockable range");
        }
        at = next_overlap(state, at + 1, range->start, last);
    }
}

/* mn_itree_inv_end */
static inline void end_intervals(struct notifier_state *state) {
    spin_lock(&state->lock);
    if (--state->active_spans != 0 || (load_opaque(&state->seq) & 1) == 0) {
        spin_unlock(&state->lock);
        return;
    }
    /* Nothing is deferred here: drivers insert and remove only while no span runs. */
    store_release(&state->seq, load_opaque(&state->seq) + 1);
#ifdef STRAIGHT
    const bool asleep = load_opaque(&state->readers.waiters) != 0; /* counted under the lock, so no fence is needed */
    spin_unlock(&state->lock);
    if (asleep) {
        fail("somebody sleeps");
    }
#else
    spin_unlock(&state->lock);
    wake_if_any(&state->readers);
#endif
}

/* mn_hlist_invalidate_range_start */
static inline void start_list(struct notifier_state *state, const struct notifier_range *range) {
    const uint64_t section = srcu_read_lock(state->srcu);
    const uint64_t count = load_volatile(&state->subscriber_count);
    for (uint64_t i = 0; i < count; i++) {
        if (!state->subscribers[i]->invalidate_start(state->subscribers[i]->driver, range)) {
            fail("a subscriber refused a blockable range");
        }
    }
    srcu_read_unlock(state->srcu, section);
}

/* mn_hlist_invalidate_end: without a subscriber to call there is nothing that a section would protect */
static inline void end_list(struct notifier_state *state, const struct notifier_range *range) {
    if (load_volatile(&state->ends) == 0) {
        return;
    }
    const uint64_t section = srcu_read_lock(state->srcu);
    const uint64_t count = load_volatile(&state->subscriber_count);
    for (uint64_t i = 0; i < count; i++) {
        state->subscribers[i]->invalidate_end(state->subscribers[i]->driver, range);
    }
    srcu_read_unlock(state->srcu, section);
}

/* mmu_notifier_invalidate_range_start */
static inline void notify_start(struct notifier_state *state, const struct notifier_range *range) {
    const uint64_t kinds = load_acquire(&state->published);
    if ((kinds & INTERVALS) != 0) {
        start_intervals(state, range);
    }
    if ((kinds & LIST) != 0) {
        start_list(state, range);
    }
}

/* mmu_notifier_invalidate_range_end */
static inline void notify_end(struct notifier_state *state, const struct notifier_range *range) {
    const uint64_t kinds = load_acquire(&state->published);
    if ((kinds & INTERVALS) != 0) {
        end_intervals(state);
    }
    if ((kinds & LIST) != 0) {
        end_list(state, range);
    }
}

/* mmu_interval_notifier_insert */
static inline void insert(struct notifier_state *state, struct subscription *subscription, uint64_t start, uint64_t last) {
    subscription->start = start;
    subscription->last = last;
    spin_lock(&state->lock);
    if (state->active_spans != 0 || state->size == SUBSCRIPTIONS_MAX) {
        fail("insert during a span, or too many subscriptions");
    }
    store_opaque(&subscription->sequence, load_opaque(&state->seq) - 1);
    int at = state->size;
    for (; at > 0 && state->starts[at - 1] > start; at--) {
        state->starts[at] = state->starts[at - 1];
        state->lasts[at] = state->lasts[at - 1];
        state->subscriptions[at] = state->subscriptions[at - 1];
    }
    state->starts[at] = start;
    state->lasts[at] = last;
    state->subscriptions[at] = subscription;
    state->size++;
    subscription->in_index = true;
    spin_unlock(&state->lock);
}

/* mmu_interval_notifier_remove */
static inline void remove_subscription(struct notifier_state *state, struct subscription *subscription) {
    spin_lock(&state->lock);
    if ((load_opaque(&state->seq) & 1) != 0) {
        fail("remove during a span");
    }
    int at = 0;
    while (state->subscriptions[at] != subscription) {
        at++;
    }
    state->size--;
    for (; at < state->size; at++) {
        state->starts[at] = state->starts[at + 1];
        state->lasts[at] = state->lasts[at + 1];
        state->subscriptions[at] = state->subscriptions[at + 1];
    }
    subscription->in_index = false;
    spin_unlock(&state->lock);
}

/* mmu_interval_read_begin */
static inline uint64_t read_begin(struct notifier_state *state, struct subscription *subscription) {
#ifdef STRAIGHT
    /* First the subscription's, then the global one: if they differ, the span that stored the former has ended. */
    const uint64_t sample = load_acquire(&subscription->sequence);
    const bool busy = sample == load_acquire(&state->seq);
#else
    spin_lock(&state->lock);
    const uint64_t sample = load_opaque(&subscription->sequence);
    const bool busy = sample == load_opaque(&state->seq);
    spin_unlock(&state->lock);
#endif
    while (busy && load_acquire(&state->seq) == sample) {
        wait_a_little();
    }
    return sample;
}

/* mmu_interval_read_retry: under the driver lock */
static inline bool read_retry(struct subscription *subscription, uint64_t sample) {
    return load_opaque(&subscription->sequence) != sample;
}

#endif
