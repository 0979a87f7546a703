package mmutex.device;

/** What a driver does about the page between two rounds of an atomic fault. */
public enum RetryPolicy {
    /**
     * Bring it into a plain, writable state outside the critical section, and wait until nobody has it locked: the next
     * round then has nothing to change that it would collide with.
     */
    PREFAULT,
    /**
     * Nothing, as nouveau: the next round's get_user_pages finds the page exclusive by the round before and restores it,
     * which no driver may ignore, so every further round collides with itself until the time is over (Q1). And a page that
     * somebody else has locked (up to 6.14) ends the fault.
     */
    KERNEL_LOOP,
    /**
     * Take the page as it is if it is exclusive still, as the posted v4 series did; make it again only otherwise.
     */
    CHECK_AND_REUSE
}
