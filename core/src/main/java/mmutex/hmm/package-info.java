/**
 * The device's view of a range of CPU memory: hmm_range_fault, mm/hmm.c (6.12), semantics 3.19.
 *
 * <p>{@link mmutex.hmm.RangeFaulter} reads the CPU's entries without their locks, faults in what the request asks for,
 * and reports each page in the format of {@link mmutex.hmm.HmmFlags}. Concurrent changes are caught by the caller's
 * notifier sequence, not by locks.
 */
package mmutex.hmm;
