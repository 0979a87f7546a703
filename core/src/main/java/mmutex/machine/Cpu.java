package mmutex.machine;

import mmutex.fault.Signal;
import mmutex.fault.UserFault;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameData;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.seam.SchedulePoint;
import mmutex.sync.AccessWindow;
import mmutex.sync.AccessWindows;

/**
 * A CPU: runs one process at a time and accesses its memory, each access inside one window; semantics 3.1.
 *
 * <p>An access opens the window, translates, performs, closes. If the entry does not permit it, the window is closed and
 * the fault resolved, then it is tried again. VMA flags are not consulted on this path: an entry that is wrongly writable
 * is a real hole.
 *
 * <p>Threads: one at a time. Accesses must be aligned to their size. Results are {@link Signal#NONE} or why the access
 * could not be performed; values are read from {@link #value}.
 */
public final class Cpu extends Task {
    private static final long FAULTED = -1;

    /** What an idle CPU looks at: its TLB is empty, so every access gets to {@link #walk}, and is refused there. */
    private static final AccessWindows NONE = new AccessWindows(new AccessWindow[0]);

    private final int number;
    private final AccessWindow window;
    private final PteEncoding encoding;
    private final FrameData data;
    private final int pageShift;
    private final long offsetMask;
    private final long hugeMask;
    private final Tlb tlb = new Tlb();

    private AddressSpace space;
    private AccessWindows windows = NONE;
    private PageTable table;
    private Signal signal = Signal.NONE;
    private long value;
    private long faults;

    Cpu(final int id, final int number, final Platform platform) {
        super(id, "cpu" + number);
        this.number = number;
        this.window = platform.windows()[number];
        this.encoding = platform.encoding();
        this.data = platform.data();
        this.pageShift = encoding.pageShift();
        this.offsetMask = platform.pageSize() - 1;
        this.hugeMask = platform.frames().compoundFrames() - 1;
    }

    /** Its number in the machine. */
    public int number() {
        return number;
    }

    /** Runs a process from now on; null runs none. */
    public void run(final Process process) {
        if (space != null) {
            windows.leave(number);
        }
        tlb.clear();
        space = process == null ? null : process.space();
        windows = NONE;
        if (space != null) {
            windows = space.windows();
            table = space.pageTable();
            windows.enter(number);
        }
    }

    /** The address space it runs. */
    public AddressSpace space() {
        return space;
    }

    /** Result of the last access that has one: the loaded or old value; 1 or 0 for a compare-and-set. */
    public long value() {
        return value;
    }

    /** Page faults taken by accesses. */
    public long faults() {
        return faults;
    }

    // ---- accesses -------------------------------------------------------------------------------------------

    public Signal loadLong(final long addr) {
        final long position = begin(addr, Long.BYTES, false);
        if (position == FAULTED) {
            return signal;
        }
        value = data.loadLong(position);
        window.close();
        return Signal.NONE;
    }

    public Signal storeLong(final long addr, final long newValue) {
        final long position = begin(addr, Long.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        data.storeLong(position, newValue);
        window.close();
        return Signal.NONE;
    }

    /** Atomic; {@link #value} is the old value. */
    public Signal fetchAddLong(final long addr, final long delta) {
        final long position = begin(addr, Long.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        value = data.getAndAddLong(position, delta);
        window.close();
        return Signal.NONE;
    }

    /** Atomic; {@link #value} is the old value. */
    public Signal exchangeLong(final long addr, final long newValue) {
        final long position = begin(addr, Long.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        value = data.getAndSetLong(position, newValue);
        window.close();
        return Signal.NONE;
    }

    /** Atomic; {@link #value} is 1 if it succeeded. */
    public Signal compareAndSetLong(final long addr, final long expected, final long newValue) {
        final long position = begin(addr, Long.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        value = data.compareAndSetLong(position, expected, newValue) ? 1 : 0;
        window.close();
        return Signal.NONE;
    }

    public Signal loadInt(final long addr) {
        final long position = begin(addr, Integer.BYTES, false);
        if (position == FAULTED) {
            return signal;
        }
        value = data.loadInt(position);
        window.close();
        return Signal.NONE;
    }

    public Signal storeInt(final long addr, final int newValue) {
        final long position = begin(addr, Integer.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        data.storeInt(position, newValue);
        window.close();
        return Signal.NONE;
    }

    /** Atomic; {@link #value} is the old value. */
    public Signal fetchAddInt(final long addr, final int delta) {
        final long position = begin(addr, Integer.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        value = data.getAndAddInt(position, delta);
        window.close();
        return Signal.NONE;
    }

    /** Atomic; {@link #value} is the old value. */
    public Signal exchangeInt(final long addr, final int newValue) {
        final long position = begin(addr, Integer.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        value = data.getAndSetInt(position, newValue);
        window.close();
        return Signal.NONE;
    }

    /** Atomic; {@link #value} is 1 if it succeeded. */
    public Signal compareAndSetInt(final long addr, final int expected, final int newValue) {
        final long position = begin(addr, Integer.BYTES, true);
        if (position == FAULTED) {
            return signal;
        }
        value = data.compareAndSetInt(position, expected, newValue) ? 1 : 0;
        window.close();
        return Signal.NONE;
    }

    // ---- translation ----------------------------------------------------------------------------------------

    /** Opens the window and translates; on success it is left open. FAULTED: closed, {@link #signal} says why. */
    private long begin(final long addr, final int size, final boolean write) {
        if ((addr & size - 1) != 0) {
            throw new IllegalArgumentException(
                    "misaligned access: addr=0x" + Long.toHexString(addr) + ", size=" + size);
        }
        while (true) { // ends: the fault handler makes progress or fails; others can take the page away again
            window.open();
            final long position = translate(addr, write);
            if (position != FAULTED) {
                if (SchedulePoint.ENABLED) {
                    window.reached(position >>> pageShift);
                }
                return position;
            }
            window.close();
            faults++;
            signal = UserFault.handle(this, space, addr, write);
            if (signal != Signal.NONE) {
                return FAULTED;
            }
        }
    }

    /** Inside the window: the position in memory of an address that the page table permits to access. */
    private long translate(final long addr, final boolean write) {
        final long vpn = addr >>> pageShift;
        // The generation is read before the entry, so an entry is never cached under a generation newer than itself.
        final long generation = windows.generation();
        final long cached = tlb.lookup(vpn, generation, write);
        if (cached >= 0) {
            return data.position(cached, (int) (addr & offsetMask));
        }
        return walk(addr, vpn, generation, write);
    }

    private long walk(final long addr, final long vpn, final long generation, final boolean write) {
        if (space == null) {
            window.close();
            throw new IllegalStateException(name() + " runs no process");
        }
        if (addr < 0 || addr >= space.addressLimit()) {
            return FAULTED;
        }
        final long slot = table.slot(this, addr);
        if (slot < 0) {
            return RadixTable.isHuge(slot)
                    ? walkHuge(RadixTable.hugeSlot(slot), addr, vpn, generation, write)
                    : FAULTED;
        }
        while (true) { // a failed compare-and-set means that the entry changed: look again
            final long pte = table.load(slot);
            if (!encoding.permits(pte, write)) {
                return FAULTED;
            }
            final long touched = encoding.hardwareAccessed(pte, write);
            if (touched == pte || table.compareAndSet(slot, pte, touched)) {
                final long frame = encoding.frameNumber(pte);
                tlb.fill(vpn, generation, frame, encoding.permits(touched, true) && encoding.isDirty(touched));
                return data.position(frame, (int) (addr & offsetMask));
            }
        }
    }

    /** A huge entry; the TLB takes what it says of this one page. */
    private long walkHuge(
            final long slot, final long addr, final long vpn, final long generation, final boolean write) {
        while (true) { // a failed compare-and-set means that the entry changed: look again
            final long pmd = table.loadUpper(slot);
            if (!HugePmd.isHuge(pmd) || !HugePmd.permits(pmd, write)) {
                return FAULTED;
            }
            final long touched = HugePmd.hardwareAccessed(pmd, write);
            if (touched == pmd || table.compareAndSetUpper(slot, pmd, touched)) {
                final long frame = HugePmd.frameNumber(pmd) + (vpn & hugeMask);
                tlb.fill(vpn, generation, frame, HugePmd.permits(touched, true) && HugePmd.isDirty(touched));
                return data.position(frame, (int) (addr & offsetMask));
            }
        }
    }
}
