package mmutex.mm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.List;
import mmutex.layout.VmFlags;
import mmutex.sync.VmaLock;

/**
 * A mapped range with one set of flags: {@code struct vm_area_struct} (6.12).
 *
 * <p>Everything here changes only with the mmap lock held for writing and this VMA write-locked, and, if it has an
 * anon_vma or a file, with those locks held for writing; except that a fault may set {@link #anonVma} once. It may be read
 * with any of those locks held shared. Bounds are also read without lock by the first step of a fault, which checks
 * again under the VMA lock.
 */
public final class Vma {
    private static final long SHARED = VmFlags.SHARED;
    private static final VarHandle ANON_VMA;

    static {
        try {
            ANON_VMA = MethodHandles.lookup().findVarHandle(Vma.class, "anonVma", AnonVma.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final AddressSpace space;
    private final VmaLock lock = new VmaLock();
    private final FileMapping file;

    /** The anon_vmas this VMA is linked to, own and inherited (the kernel's anon_vma_chain). Under the family lock. */
    final List<AnonVma> chain = new ArrayList<>(2);

    private volatile long start;
    private volatile long end;
    private volatile boolean detached;
    private volatile long flags;
    private volatile long pageOffset;
    private volatile long protection;
    private volatile UserFaults userFaults;

    @SuppressWarnings("unused") // through ANON_VMA
    private AnonVma anonVma;

    Vma(final AddressSpace space, final long start, final long end, final long flags, final long pageOffset) {
        this(space, start, end, flags, pageOffset, null);
    }

    Vma(
            final AddressSpace space,
            final long start,
            final long end,
            final long flags,
            final long pageOffset,
            final FileMapping file) {
        this.space = space;
        this.file = file;
        this.start = start;
        this.end = end;
        this.pageOffset = pageOffset;
        flags(flags);
    }

    /** The address space it belongs to. */
    public AddressSpace space() {
        return space;
    }

    /** The per-VMA lock. */
    public VmaLock lock() {
        return lock;
    }

    /** First byte. */
    public long start() {
        return start;
    }

    /** First byte behind it. */
    public long end() {
        return end;
    }

    /** Whether an address lies in it. */
    public boolean contains(final long addr) {
        return addr >= start && addr < end;
    }

    /** Flags, {@link VmFlags}. */
    public long flags() {
        return flags;
    }

    /** Whether all the given flags are set. */
    public boolean has(final long bits) {
        return (flags & bits) == bits;
    }

    /** Base protection of entries here. */
    public long protection() {
        return protection;
    }

    /** Who handles faults here, for the reasons that the flags tell; null if nobody does. */
    public UserFaults userFaults() {
        return userFaults;
    }

    /** The file that it maps; null for private anonymous memory. */
    public FileMapping file() {
        return file;
    }

    /** vma_is_anonymous. */
    public boolean isAnonymous() {
        return file == null;
    }

    /**
     * Linear page index of the first page: the page of the file, or for private anonymous memory where it was first mapped.
     */
    public long pageOffset() {
        return pageOffset;
    }

    /** Linear page index of an address. */
    public long linearIndex(final long addr) {
        return pageOffset + (addr - start >>> space.pageShift());
    }

    /** Address of a linear page index that lies in this VMA. */
    public long address(final long linearIndex) {
        return start + (linearIndex - pageOffset << space.pageShift());
    }

    /** Whether a linear page index lies in this VMA. */
    public boolean covers(final long linearIndex) {
        return linearIndex >= pageOffset && linearIndex < pageOffset + (end - start >>> space.pageShift());
    }

    /** Whether any of a range of linear page indices, both ends included, lies in this VMA. */
    public boolean overlaps(final long first, final long last) {
        return last >= pageOffset && first < pageOffset + (end - start >>> space.pageShift());
    }

    /** The reverse-map object of its pages; null until the first page is about to be mapped. */
    public AnonVma anonVma() {
        // ORDER(anon-vma-publish) acquire: the object is linked before a fault uses it. Pairs with the release below.
        return (AnonVma) ANON_VMA.getAcquire(this);
    }

    /** Whether it has been removed from its address space (a fault that found it without lock must look again). */
    public boolean isDetached() {
        return detached;
    }

    void anonVma(final AnonVma newAnonVma) {
        ANON_VMA.setRelease(this, newAnonVma); // ORDER(anon-vma-publish) release
    }

    void bounds(final long newStart, final long newEnd, final long newPageOffset) {
        start = newStart;
        end = newEnd;
        pageOffset = newPageOffset;
    }

    void flags(final long newFlags) {
        flags = newFlags;
        protection = space.platform().encoding().protection(wantsWriteNotify(newFlags) ? newFlags & ~SHARED : newFlags);
    }

    /** vma_wants_writenotify: shared memory whose soft-dirty bits are tracked must fault on the first write. */
    private static boolean wantsWriteNotify(final long flags) {
        return (flags & (SHARED | VmFlags.WRITE)) == (SHARED | VmFlags.WRITE)
                && (flags & (VmFlags.SOFTDIRTY | VmFlags.HUGETLB)) == 0;
    }

    void userFaults(final UserFaults handler) {
        userFaults = handler;
    }

    void detach() {
        detached = true;
    }

    @Override
    public String toString() {
        return "[0x" + Long.toHexString(start) + ", 0x" + Long.toHexString(end) + ") flags=0x"
                + Long.toHexString(flags);
    }
}
