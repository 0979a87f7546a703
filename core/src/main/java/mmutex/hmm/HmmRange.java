package mmutex.hmm;

import mmutex.mm.AddressSpace;
import mmutex.notify.NotifierRange;
import mmutex.notify.RangeGuard;

/** A request: {@code struct hmm_range} (6.12). Reused by its owner; one thread at a time. */
public final class HmmRange {
    final long[] pfns;
    AddressSpace space;
    RangeGuard guard;
    long sequence;
    long start;
    long end;
    long defaultFlags;
    long pfnFlagsMask;
    long devicePrivateOwner = NotifierRange.NO_OWNER;

    /** Creates a request for up to {@code pagesMax} pages at a time. */
    public HmmRange(final int pagesMax) {
        this.pfns = new long[pagesMax];
    }

    /** Pages a request can describe. */
    public int pagesMax() {
        return pfns.length;
    }

    /**
     * What is asked for.
     *
     * @param start first byte, page-aligned
     * @param end first byte behind
     * @param defaultFlags requested of every page
     * @param pfnFlagsMask which flags set per page ({@link #request}) count
     */
    public HmmRange init(
            final AddressSpace newSpace,
            final RangeGuard newGuard,
            final long start,
            final long end,
            final long defaultFlags,
            final long pfnFlagsMask) {
        this.space = newSpace;
        this.guard = newGuard;
        this.start = start;
        this.end = end;
        this.defaultFlags = defaultFlags;
        this.pfnFlagsMask = pfnFlagsMask;
        return this;
    }

    /** dev_private_owner: pages in the memory of this owner's device are reported as they are, not brought back. */
    public HmmRange devicePrivateOwner(final long owner) {
        this.devicePrivateOwner = owner;
        return this;
    }

    /** Sets the sample that the answer will be checked against: readBegin of the guard. */
    public void sequence(final long sample) {
        this.sequence = sample;
    }

    /** The sample. */
    public long sequence() {
        return sequence;
    }

    /** Asks for one page in particular. */
    public void request(final int page, final long flags) {
        pfns[page] = flags;
    }

    /** The answer for one page, in the format of {@link HmmFlags}. */
    public long pfn(final int page) {
        return pfns[page];
    }
}
