package mmutex.check;

import mmutex.device.DevicePageTable;
import mmutex.layout.PteEncoding;
import mmutex.memory.FrameTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/** Invariants of one moment, for whoever is there: I20 at fork's return, I26 at make's, I28 at a callback's. */
public final class MomentChecks {
    private MomentChecks() {}

    /** I20: fork has returned, the parent's mmap lock is still held for writing (or nothing else runs). */
    public static CheckReport afterFork(final Task task, final AddressSpace parent, final AddressSpace child) {
        final CheckReport report = afterFork(task, child);
        final PteEncoding encoding = parent.encoding();
        PageScan.visit(task, parent, (vma, addr, pte) -> {
            if (encoding.isDeviceExclusive(pte) && child.vmas().lookup(addr) != null) {
                report.violated("I20", PageScan.at(parent, addr) + ": the parent keeps an exclusive entry");
            }
        });
        return report;
    }

    /** The child's half of I20, for when the parent has gone on running. */
    public static CheckReport afterFork(final Task task, final AddressSpace child) {
        final CheckReport report = new CheckReport();
        report.looking("I20");
        PageScan.visit(task, child, (vma, addr, pte) -> {
            if (child.encoding().isDeviceExclusive(pte)) {
                report.violated("I20", PageScan.at(child, addr) + ": the child has an exclusive entry");
            }
        });
        return report;
    }

    /** I26: make has returned this frame for this address, and the caller still has it locked. */
    public static CheckReport afterMake(final Task task, final AddressSpace space, final long addr, final long pfn) {
        final CheckReport report = new CheckReport();
        report.looking("I26");
        final Platform platform = space.platform();
        final FrameTable frames = platform.frames();
        final long folio = frames.head(pfn);
        if (!frames.has(folio, FrameTable.LOCKED) || frames.lockOwner(folio) != task.id()) {
            report.violated("I26", "frame " + pfn + ": not locked by the caller");
        }
        if (frames.refCount(pfn) < 2) {
            report.violated(
                    "I26",
                    "frame " + pfn + ": refcount " + frames.refCount(pfn) + ", expected the entry's and the caller's");
        }
        final long pte = space.pageTable().peek(addr);
        if (!space.encoding().isDeviceExclusive(pte) || space.encoding().swapFrameNumber(pte) != pfn) {
            report.violated("I26", PageScan.at(space, addr) + ": the entry is not exclusive to frame " + pfn);
        }
        return report;
    }

    /** I28: a callback for [first, end) has returned: no entry there, and no window that could be using one. */
    public static CheckReport afterCallback(final DevicePageTable table, final long firstPage, final long endPage) {
        final CheckReport report = new CheckReport();
        report.looking("I28");
        final long found = table.nextValid(firstPage, endPage);
        if (found < endPage) {
            report.violated("I28", "page 0x" + Long.toHexString(found) + ": still mapped after the callback");
        }
        return report;
    }
}
