package mmutex.notify;

/**
 * A kind of list subscriber of which an address space has at most one, shared and counted: the identity that
 * mmu_notifier_get looks for. {@code struct mmu_notifier_ops} with alloc_notifier (6.12); keep it in a constant.
 */
@FunctionalInterface
public interface SubscriberOps {
    /** alloc_notifier: the address space has none yet; not registered. The mmap lock is held for writing. */
    NotifierSubscriber allocate();
}
