package mmutex.check;

import java.util.List;
import mmutex.check.InvariantChecker.DeviceView;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.Platform;

/** I27: at quiescence nothing is held and nobody waits. */
final class LockChecker {
    private LockChecker() {}

    static void atQuiescence(
            final Platform platform,
            final List<AddressSpace> spaces,
            final List<DeviceView> devices,
            final CheckReport report) {
        report.looking("I27");
        final FrameTable frames = platform.frames();
        for (long pfn = FrameAllocator.ZERO_FRAME; pfn < platform.allocator().limit(); pfn++) {
            if (frames.has(pfn, FrameTable.LOCKED) || frames.has(pfn, FrameTable.WAITERS)) {
                report.violated(
                        "I27", "frame " + pfn + ": page lock held or waited for, by actor " + frames.lockOwner(pfn));
            }
        }
        for (final DeviceView device : devices) {
            if (device.lock().isHeld()) {
                report.violated("I27", "device " + device.id() + ": driver lock held");
            }
            if (device.table().isAnyWindowOpen()) {
                report.violated("I27", "device " + device.id() + ": a window is open");
            }
        }
        for (final AddressSpace space : spaces) {
            if (space.mmapLock().isHeld()) {
                report.violated("I27", space + ": mmap lock held or waited for");
            }
            if (space.windows().isAnyOpen()) {
                report.violated("I27", space + ": a window is open");
            }
            leafLocks(platform, space, report);
        }
    }

    private static void leafLocks(final Platform platform, final AddressSpace space, final CheckReport report) {
        final RadixTable radix = space.pageTable().radix();
        final long end = radix.pageLimit();
        for (long page = radix.nextPopulated(0, end);
                page < end;
                page = radix.nextPopulated(radix.leafEnd(page, end), end)) {
            final long slot = radix.slot(page);
            if (platform.pteLock().isLocked(RadixTable.isHuge(slot) ? RadixTable.hugeSlot(slot) : slot)) {
                report.violated("I27", PageScan.at(space, page << space.pageShift()) + ": leaf-table lock held");
            }
        }
    }
}
