package mmutex.mm;

/**
 * Defects of real kernels that a machine has only when asked: by default each is repaired, since tests and workloads could
 * not go on with it. Names of the semantics document in parentheses.
 */
public enum Quirk {
    /**
     * (Q3) A non-blockable span that the list subscribers refuse stays counted in its interval stage: later inserts are
     * deferred, and readers wait, for ever. mn_hlist_invalidate_range_start (6.12).
     */
    LEAKED_SPAN,
    /**
     * (Q4) A driver's atomic fault that collides keeps the page locked and referenced when it tries again; get_user_pages
     * then waits for that lock. nouveau_atomic_range_fault before 6.14.
     */
    LOCKED_RETRY,
    /**
     * (Q5) A batch of faults is served weakest first, duplicates of what was served are skipped, and after one atomic fault
     * all later ones of the batch are handled as atomic. nouveau_svm_fault (6.12).
     */
    STICKY_ATOMIC,
    /**
     * The end of a span makes a mirror's ranges valid behind their owner's back, so that a span between the owner's wait and
     * his question is never seen; and a driver's own conversion hits his own range. mm/hmm.c (5.3).
     */
    REVALIDATED_RANGE
}
