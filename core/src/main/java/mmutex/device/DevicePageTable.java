package mmutex.device;

import mmutex.memory.FrameTable;
import mmutex.memory.LeafHint;
import mmutex.memory.RadixTable;
import mmutex.memory.TableArena;
import mmutex.memory.Words;
import mmutex.mm.Platform;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Step;
import mmutex.sync.AccessWindow;
import mmutex.sync.Actor;

/**
 * What a device maps, by virtual page number: {@link DevicePte} words in off-heap tables, and the windows in which the
 * device accesses memory through them.
 *
 * <p>Threads: changes under the driver lock; look-ups by the device's engines inside their windows.
 */
public final class DevicePageTable {
    private final TableArena arena;
    private final RadixTable radix;
    private final long pageLimit;
    /** Its tables are somebody else's now; a checker may still know of it. */
    private boolean freed;

    private final Words entries;
    private final LeafHint hint = new LeafHint(); // under the driver lock
    private final AccessWindow[] windows;
    private final FrameTable frames;

    /**
     * Creates an empty table.
     *
     * @param engines number of engines (threads that execute lanes), each with a window
     */
    public DevicePageTable(final Platform platform, final int engines) {
        this.arena = platform.tables();
        this.frames = platform.frames();
        this.radix = new RadixTable(
                arena, platform.encoding().levels(), platform.encoding().indexBits(), DevicePte.NONE);
        this.pageLimit = radix.pageLimit();
        this.entries = arena.entries();
        this.windows = new AccessWindow[engines];
        for (int i = 0; i < engines; i++) {
            windows[i] = new AccessWindow();
        }
    }

    /** An engine's window. */
    public AccessWindow window(final int engine) {
        return windows[engine];
    }

    /** The entry of a page; behind what the table can map there is nothing. */
    public long load(final long vpn) {
        SchedulePoint.before(Step.DEVICE_PTE_LOAD, vpn);
        if (Long.compareUnsigned(vpn, pageLimit) >= 0) {
            return DevicePte.NONE;
        }
        final long slot = radix.slot(vpn);
        // ORDER(device-pte-publish) acquire: the page was converted before the device may use it (O7). Pairs with the
        // release in store. Litmus: DevicePteStress.
        return slot == RadixTable.NO_SLOT ? DevicePte.NONE : entries.loadAcquire(slot);
    }

    /** Stores an entry; false if there is no room for its table. Driver lock held. */
    public boolean store(final long vpn, final long pte) {
        long slot = radix.slot(vpn, hint);
        if (slot == RadixTable.NO_SLOT) {
            slot = radix.slotOrCreate(vpn);
        }
        if (slot == RadixTable.NO_SLOT) {
            return false;
        }
        SchedulePoint.before(Step.DEVICE_PTE_STORE, vpn);
        entries.storeRelease(slot, pte); // ORDER(device-pte-publish) release
        return true;
    }

    /**
     * Erases the entries of [first, end) and returns when no access through them is in progress. Driver lock held.
     *
     * @return entries erased
     */
    public int erase(final Actor actor, final long first, final long end) {
        int erased = 0;
        final long limit = Math.min(end, radix.pageLimit());
        long page = first;
        while (page < limit) {
            long slot = radix.slot(page, hint);
            if (slot == RadixTable.NO_SLOT) {
                page = radix.nextPopulated(page, limit);
                continue;
            }
            final long tableEnd = radix.leafEnd(page, limit);
            for (; page < tableEnd; page++, slot += Long.BYTES) {
                final long pte = entries.loadAcquire(slot);
                if (pte != DevicePte.NONE) {
                    // A driver's duty (3.7): the CPU's entry knows nothing of what the device has written.
                    if (DevicePte.has(pte, DevicePte.WRITE) || DevicePte.has(pte, DevicePte.ATOMIC)) {
                        frames.markDirty(DevicePte.frameNumber(pte));
                    }
                    SchedulePoint.before(Step.DEVICE_PTE_STORE, page);
                    entries.storeRelease(slot, DevicePte.NONE);
                    erased++;
                }
            }
        }
        if (erased != 0) {
            AccessWindow.drainAll(actor, windows); // ORDER(window-flush) full fence, behind the erased entries
        }
        return erased;
    }

    /** First page at or after {@code vpn} with a valid entry, or {@code end} (checkers). Driver lock held, or nobody works. */
    public long nextValid(final long vpn, final long end) {
        if (freed) {
            return end;
        }
        final long limit = Math.min(end, radix.pageLimit());
        for (long page = radix.nextPopulated(vpn, limit); page < limit; page = radix.nextPopulated(page + 1, limit)) {
            if (DevicePte.has(load(page), DevicePte.VALID)) {
                return page;
            }
        }
        return end;
    }

    /** One more than the highest page number that can be mapped. */
    public long pageLimit() {
        return pageLimit;
    }

    /** Whether an engine's window is open (checkers). */
    public boolean isAnyWindowOpen() {
        for (final AccessWindow window : windows) {
            if (window.isOpen()) {
                return true;
            }
        }
        return false;
    }

    /** Gives the tables back; nobody uses the device any more. Driver lock held, or nobody works. */
    public void free() {
        freed = true;
        arena.freeChain(radix.detachAll());
    }
}
