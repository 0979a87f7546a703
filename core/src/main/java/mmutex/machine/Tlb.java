package mmutex.machine;

import java.util.Arrays;

/**
 * A CPU's software TLB: direct-mapped, private to the CPU. An entry is good while the address space's generation is the
 * one it was filled under; so a shoot-down is one increment, and a translation that was cleared is never used again.
 *
 * <p>An entry permits writing only if the page-table entry was writable and already dirty, as in hardware: a write
 * through it leaves no trace in the page table.
 */
final class Tlb {
    private static final int ENTRIES = 256;
    private static final int MASK = ENTRIES - 1;

    private final long[] pages = new long[ENTRIES];
    private final long[] generations = new long[ENTRIES];
    private final long[] frames = new long[ENTRIES];
    private final boolean[] writable = new boolean[ENTRIES];

    /** Frame of a page, or -1. */
    long lookup(final long vpn, final long generation, final boolean write) {
        final int at = (int) vpn & MASK;
        final boolean hit = pages[at] == vpn && generations[at] == generation && (!write || writable[at]);
        return hit ? frames[at] : -1;
    }

    void fill(final long vpn, final long generation, final long frame, final boolean permitsWrite) {
        final int at = (int) vpn & MASK;
        pages[at] = vpn;
        generations[at] = generation;
        frames[at] = frame;
        writable[at] = permitsWrite;
    }

    /** Forgets everything: another address space is run from now on. */
    void clear() {
        Arrays.fill(generations, 0);
    }
}
