package mmutex.notify;

import java.util.Arrays;

/**
 * The subscriptions of one address space, found by overlap.
 *
 * <p>Arrays sorted by start instead of the kernel's interval tree: a driver inserts and removes a subscription on every
 * fault, which must not allocate, and with up to some hundred subscribers a scan over two dense arrays is faster than a
 * tree of objects. Not thread-safe: {@link NotifierState} guards it.
 */
final class IntervalIndex {
    private long[] starts = new long[8];
    private long[] lasts = new long[8];
    private IntervalSubscription[] subscriptions = new IntervalSubscription[8];
    private int size;
    private long changes;

    int size() {
        return size;
    }

    /** Insertions and removals so far (checkers). */
    long changes() {
        return changes;
    }

    IntervalSubscription at(final int position) {
        return subscriptions[position];
    }

    void insert(final IntervalSubscription subscription) {
        if (size == starts.length) {
            starts = Arrays.copyOf(starts, 2 * size);
            lasts = Arrays.copyOf(lasts, 2 * size);
            subscriptions = Arrays.copyOf(subscriptions, 2 * size);
        }
        int at = size;
        for (; at > 0 && Long.compareUnsigned(starts[at - 1], subscription.start) > 0; at--) {
            starts[at] = starts[at - 1];
            lasts[at] = lasts[at - 1];
            subscriptions[at] = subscriptions[at - 1];
        }
        starts[at] = subscription.start;
        lasts[at] = subscription.last;
        subscriptions[at] = subscription;
        size++;
        changes++;
    }

    void remove(final IntervalSubscription subscription) {
        int at = 0;
        while (subscriptions[at] != subscription) {
            at++;
        }
        size--;
        changes++;
        for (; at < size; at++) {
            starts[at] = starts[at + 1];
            lasts[at] = lasts[at + 1];
            subscriptions[at] = subscriptions[at + 1];
        }
        subscriptions[size] = null;
    }

    /** Position of the first subscription at or after {@code from} that overlaps [start, last]; -1 if none. */
    int nextOverlap(final int from, final long start, final long last) {
        for (int i = from; i < size; i++) {
            if (Long.compareUnsigned(starts[i], last) > 0) {
                return -1;
            }
            if (Long.compareUnsigned(lasts[i], start) >= 0) {
                return i;
            }
        }
        return -1;
    }
}
