package mmutex.check;

import java.util.List;
import mmutex.check.InvariantChecker.DeviceView;
import mmutex.device.DevicePte;
import mmutex.device.MirrorHandle;
import mmutex.layout.PteEncoding;
import mmutex.layout.PteKind;
import mmutex.memory.FrameAllocator;
import mmutex.memory.FrameTable;
import mmutex.mm.DeviceMemory;
import mmutex.mm.Platform;

/**
 * Memory of devices, at quiescence: pages in use add up (I4), and a device that maps such a page maps one of its own, where
 * the CPU's entry says so (I13, as far as it concerns them).
 */
final class DeviceMemoryChecker {
    private DeviceMemoryChecker() {}

    static void atQuiescence(
            final Platform platform,
            final List<MirrorHandle> handles,
            final List<DeviceView> devices,
            final CheckReport report) {
        report.looking("I4", "I13");
        inUse(platform, report);
        for (final DeviceView device : devices) {
            final DeviceMemory own = handles.stream()
                    .filter(handle -> handle.table() == device.table())
                    .map(handle -> handle.device().memory())
                    .findFirst()
                    .orElse(null);
            final long end = device.table().pageLimit();
            for (long vpn = device.table().nextValid(0, end);
                    vpn < end;
                    vpn = device.table().nextValid(vpn + 1, end)) {
                final long pte = device.table().load(vpn);
                if (platform.frames().has(DevicePte.frameNumber(pte), FrameTable.DEVICE_PRIVATE)) {
                    entry(platform, device, own, vpn, pte, report);
                } else if (DevicePte.frameNumber(pte) == FrameAllocator.ZERO_FRAME) {
                    zero(platform, device, vpn, report);
                }
            }
        }
    }

    /** The other half of the leave that {@link DeviceChecker} gives to a driver in the middle of a migration. */
    private static void zero(
            final Platform platform, final DeviceView device, final long vpn, final CheckReport report) {
        final long cpuPte =
                device.space().pageTable().peek(vpn << device.space().pageShift());
        if (platform.encoding().kind(cpuPte).isDevicePrivate()) {
            report.violated(
                    "I13",
                    "device " + device.id() + " page 0x" + Long.toHexString(vpn)
                            + ": maps the zero frame, the CPU's entry leads to a device's");
        }
    }

    private static void inUse(final Platform platform, final CheckReport report) {
        final long[] counted = new long[platform.deviceMemoryCount() + 1];
        for (long pfn = FrameAllocator.ZERO_FRAME + 1;
                pfn < platform.allocator().limit();
                pfn++) {
            final DeviceMemory memory = platform.deviceMemory(pfn);
            for (int id = 1; memory != null && id < counted.length; id++) {
                counted[id] += memory == platform.deviceMemoryById(id) ? 1 : 0;
            }
        }
        for (int id = 1; id < counted.length; id++) {
            final long inUse = platform.deviceMemoryById(id).inUse();
            if (inUse != counted[id]) {
                report.violated("I4", "device memory " + id + ": in use " + inUse + ", frames " + counted[id]);
            }
        }
    }

    private static void entry(
            final Platform platform,
            final DeviceView device,
            final DeviceMemory own,
            final long vpn,
            final long pte,
            final CheckReport report) {
        final long pfn = DevicePte.frameNumber(pte);
        final String who = "device " + device.id() + " page 0x" + Long.toHexString(vpn) + " frame " + pfn;
        if (own == null || !own.isOwn(pfn)) {
            report.violated("I13", who + ": maps a page in another device's memory");
            return;
        }
        final PteEncoding encoding = platform.encoding();
        final long cpuPte =
                device.space().pageTable().peek(vpn << device.space().pageShift());
        final PteKind kind = encoding.kind(cpuPte);
        if (!kind.isDevicePrivate() || encoding.swapFrameNumber(cpuPte) != pfn) {
            report.violated("I13", who + ": maps a page in its memory, the CPU's entry is " + kind);
        } else if (DevicePte.has(pte, DevicePte.WRITE) && kind != PteKind.DEVICE_PRIVATE_WRITE) {
            report.violated("I13", who + ": writes a page in its memory that is read-only");
        }
    }
}
