/**
 * Predecessors of the interval notifier, semantics 3.22: {@link mmutex.notify.legacy.Hmm} with mirrors and ranges (up to
 * 5.4) and {@link mmutex.notify.legacy.RangeNotifier} (as posted in October 2019). A driver meets them, as it meets
 * {@link mmutex.notify.IntervalSubscription}, as a {@link mmutex.notify.RangeGuard}; a machine's specification chooses.
 */
package mmutex.notify.legacy;
