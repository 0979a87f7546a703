package mmutex.notify;

/** Generations of the protocol by which a driver follows a range; drivers see each as a {@link RangeGuard}. */
public enum Protocol {
    /** mmu_interval_notifier, since 5.5: a sequence, per-range callbacks; mappings are dropped by a list subscriber. */
    INTERVAL,
    /** mmu_range_notifier, as posted in October 2019: the same under its first name. */
    RANGE_NOTIFIER,
    /** hmm_mirror, 4.14 to 5.4: a counter and a valid flag per range; mappings are dropped by the mirror's callback. */
    HMM_MIRROR
}
