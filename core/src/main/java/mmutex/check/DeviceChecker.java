package mmutex.check;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import mmutex.check.InvariantChecker.DeviceView;
import mmutex.device.DevicePte;
import mmutex.layout.HugePmd;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.layout.VmFlags;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.memory.RadixTable;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.Task;
import mmutex.sync.AccessWindow;

/**
 * What a device maps against what the CPUs map: I1, I2, I3, I13, and I14 for device entries. Every driver lock is held, so an
 * entry that leads to an atomically mapped frame can't change into a present one meanwhile.
 *
 * <p>I2 and I3 can't be asked of a file's page where those may become exclusive (V3): whoever maps it anew, restores it, or
 * makes it exclusive again through another mapping, tells nobody but that mapping's subscribers.
 */
final class DeviceChecker {
    private DeviceChecker() {}

    static void now(
            final Task task,
            final Platform platform,
            final List<AddressSpace> spaces,
            final List<DeviceView> devices,
            final CheckReport report) {
        report.looking("I1", "I2", "I3", "I13", "I14", "I30");
        final Map<Long, String> atomicHolders = new HashMap<>();
        final Map<Long, String> holders = new HashMap<>();
        for (final DeviceView device : devices) {
            final long end = device.table().pageLimit();
            for (long vpn = device.table().nextValid(0, end);
                    vpn < end;
                    vpn = device.table().nextValid(vpn + 1, end)) {
                entry(task, platform, device, vpn, atomicHolders, holders, report);
            }
        }
        if (!atomicHolders.isEmpty()) {
            for (final AddressSpace space : spaces) {
                noPresentEntry(task, space, atomicHolders, report);
            }
            noAccess(platform, atomicHolders, report);
        }
    }

    /**
     * I2's second half, where the seam is on: no CPU is at a frame that a device computes on. The driver locks keep the
     * device's mappings; whoever made the page exclusive has drained the windows before, and no entry leads there since.
     */
    private static void noAccess(
            final Platform platform, final Map<Long, String> atomicHolders, final CheckReport report) {
        final AccessWindow[] windows = platform.windows();
        for (int cpu = 0; cpu < windows.length; cpu++) {
            final long pfn = windows[cpu].frame();
            final String who = atomicHolders.get(pfn);
            if (who != null && !platform.frames().has(pfn, FrameTable.FILE)) {
                report.violated("I2", "cpu " + cpu + " is at the frame although " + who + " maps it atomically");
            }
        }
    }

    private static void entry(
            final Task task,
            final Platform platform,
            final DeviceView device,
            final long vpn,
            final Map<Long, String> atomicHolders,
            final Map<Long, String> holders,
            final CheckReport report) {
        final long pte = device.table().load(vpn);
        final long pfn = DevicePte.frameNumber(pte);
        final String who = "device " + device.id() + " page 0x" + Long.toHexString(vpn) + " frame " + pfn;
        final long cpuPte = cpuEntry(task, device.space(), vpn << device.space().pageShift());
        coherent(device.space().encoding(), pte, cpuPte, who, report);
        if (pfn == FrameAllocator.ZERO_FRAME) {
            if (DevicePte.has(pte, DevicePte.WRITE)) {
                report.violated("I30", who + ": the zero frame is writable by a device");
            }
            return;
        }
        if (platform.frames().refCount(pfn) == 0) {
            report.violated("I14", who + ": maps a free frame");
        }
        final boolean atomic = DevicePte.has(pte, DevicePte.ATOMIC);
        if (atomic && !isExclusive(device.space().encoding(), cpuPte, pfn)) {
            report.violated("I1", who + ": atomic mapping, but the CPU's entry is not exclusive to it");
        }
        if (platform.profile().makeAcceptsShared() && platform.frames().has(pfn, FrameTable.FILE)) {
            return;
        }
        final String otherAtomic = atomicHolders.get(pfn);
        if (otherAtomic != null) {
            report.violated("I3", who + ": mapped although " + otherAtomic + " maps it atomically");
        }
        final String other = holders.put(pfn, who);
        if (atomic) {
            atomicHolders.put(pfn, who);
            if (other != null && otherAtomic == null) {
                report.violated("I3", who + ": mapped atomically although " + other + " maps it");
            }
        }
    }

    /**
     * I13. The driver lock is held, and whoever changes the CPU's entry has erased the device's under it before: a mapping
     * that is there now is one that no running invalidation has reached.
     */
    private static void coherent(
            final PteEncoding encoding,
            final long devicePte,
            final long cpuPte,
            final String who,
            final CheckReport report) {
        final long pfn = DevicePte.frameNumber(devicePte);
        if (isExclusive(encoding, cpuPte, pfn)) {
            return;
        }
        if (!encoding.isPresent(cpuPte)) {
            final PteKind kind = encoding.kind(cpuPte);
            // While a page moves, the driver that moves it ignores its own event and updates its table in the middle.
            // So what took the zero page's place may be there before the driver has let go of that. When all is
            // quiet it has: DeviceMemoryChecker.
            final boolean own = kind.isMigration()
                    || kind.isDevicePrivate()
                            && (encoding.swapFrameNumber(cpuPte) == pfn || pfn == FrameAllocator.ZERO_FRAME);
            if (!own) {
                report.violated("I13", who + ": the CPU's entry is " + kind);
            }
        } else if (encoding.frameNumber(cpuPte) != pfn) {
            report.violated("I13", who + ": the CPU's entry leads to frame " + encoding.frameNumber(cpuPte));
        } else if (DevicePte.has(devicePte, DevicePte.WRITE) && !encoding.isWritable(cpuPte)) {
            report.violated("I13", who + ": writable by the device, read-only for CPUs");
        }
    }

    private static boolean isExclusive(final PteEncoding encoding, final long pte, final long pfn) {
        return encoding.isDeviceExclusive(pte) && encoding.swapFrameNumber(pte) == pfn;
    }

    /** The CPU's entry; a device mapping under the driver lock keeps its table from going away. */
    private static long cpuEntry(final Task task, final AddressSpace space, final long addr) {
        final PageTable table = space.pageTable();
        final long slot = table.slot(addr);
        if (RadixTable.isHuge(slot)) {
            return underHuge(task, space, RadixTable.hugeSlot(slot), addr);
        }
        if (slot == PageTable.NO_SLOT) {
            return space.encoding().empty();
        }
        table.lock(task, slot);
        final long pte = table.load(slot);
        table.unlock(task, slot);
        return pte;
    }

    /** What a huge entry says of one page. It stays while a device maps the page: a split asks the device first. */
    private static long underHuge(final Task task, final AddressSpace space, final long slot, final long addr) {
        final PageTable table = space.pageTable();
        table.lock(task, slot);
        final long pmd = table.loadUpper(slot);
        table.unlock(task, slot);
        if (!HugePmd.isHuge(pmd)) {
            return space.encoding().empty();
        }
        final long page = (addr & table.hugeSize() - 1) >>> space.pageShift();
        final long protection = space.encoding().protection(HugePmd.isNoAccess(pmd) ? 0 : VmFlags.READ);
        return HugePmd.leaf(space.encoding(), pmd, page, protection);
    }

    private static void noPresentEntry(
            final Task task,
            final AddressSpace space,
            final Map<Long, String> atomicHolders,
            final CheckReport report) {
        final PteEncoding encoding = space.encoding();
        // The mmap lock may not be waited for under a driver lock: its holder may be waiting for one in a callback.
        // Where it
        // can't be had at once, tables may be going away, and the space is left to the next look.
        if (!space.mmapLock().tryReadLock(task)) {
            return;
        }
        PageScan.visit(task, space, (vma, addr, pte) -> {
            if (encoding.isPresent(pte)) {
                final long pfn = encoding.frameNumber(pte);
                final String who = atomicHolders.get(pfn);
                if (who != null && !space.platform().frames().has(pfn, FrameTable.FILE)) {
                    report.violated(
                            "I2", PageScan.at(space, addr) + ": present although " + who + " maps it atomically");
                }
            }
        });
        space.mmapLock().readUnlock(task);
    }
}
