package mmutex.machine;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;
import mmutex.change.Compactor;
import mmutex.change.Reclaimer;
import mmutex.change.SamePageMerger;
import mmutex.device.MirrorDevice;
import mmutex.device.SvmDevice;
import mmutex.layout.Encodings;
import mmutex.memory.SwapSlots;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.FileMapping;
import mmutex.mm.Platform;
import mmutex.mm.SwapCache;
import mmutex.mm.Task;

/**
 * One emulated machine: memory, CPUs, processes, devices. It makes no threads; whoever uses it calls its CPUs and device
 * workers from threads of his own, each from one at a time.
 *
 * <p>Threads: construction methods from any thread.
 */
public final class Machine {
    private final MachineSpec spec;
    private final Platform platform;
    private final List<Cpu> cpus = new ArrayList<>();
    private final List<AddressSpace> spaces = new CopyOnWriteArrayList<>();
    private final List<SvmDevice> devices = new CopyOnWriteArrayList<>();
    private final AtomicLong reclaimHand = new AtomicLong();
    private final AtomicInteger nextActor = new AtomicInteger(1);
    private final AtomicInteger nextSpace = new AtomicInteger(1);
    private final AtomicInteger nextDevice = new AtomicInteger(1);

    public Machine(final MachineSpec spec) {
        this.spec = spec;
        this.platform = new Platform(
                Encodings.forGeneration(spec.architecture(), spec.profile().generation()),
                spec.profile(),
                spec.driver().quirks(),
                spec.frames(),
                spec.tables(),
                spec.cpus());
        for (int i = 0; i < spec.cpus(); i++) {
            cpus.add(new Cpu(nextActor.getAndIncrement(), i, platform));
        }
    }

    public MachineSpec spec() {
        return spec;
    }

    /** What all address spaces share. */
    public Platform platform() {
        return platform;
    }

    /** A CPU, by number. */
    public Cpu cpu(final int number) {
        return cpus.get(number);
    }

    /** Another actor that makes system calls but runs no program of its own: a kernel thread. */
    public Task newTask(final String name) {
        return new Task(nextActor.getAndIncrement(), name);
    }

    /**
     * A process with an empty address space.
     *
     * @throws IllegalStateException if the machine has no table left: this is no system call, see {@link Process#fork}
     */
    public Process newProcess() {
        final AddressSpace space = newSpace();
        if (space == null) {
            throw new IllegalStateException("no room for a root table: tables in use="
                    + platform.tables().inUse());
        }
        return new Process(this, space);
    }

    /**
     * An open file in memory (tmpfs), full of zeros. Whoever is done with it closes it; its mappings keep what they need.
     *
     * @param task who opens it
     * @param pages its size
     * @throws IllegalArgumentException if it can't become that large
     * @throws IllegalStateException if there is no room for the table of its pages
     */
    public File newFile(final Task task, final long pages) {
        final FileMapping mapping = platform.createFile(task, FileMapping.Kind.SHMEM, 0);
        if (mapping == null) {
            throw new IllegalStateException("no room for a root table: tables in use="
                    + platform.tables().inUse());
        }
        if (pages < 0 || pages > mapping.sizeLimit()) {
            mapping.release(task);
            throw new IllegalArgumentException("pages must be 0 to " + mapping.sizeLimit() + ", was " + pages);
        }
        mapping.resize(task, pages);
        return new File(mapping);
    }

    /**
     * swapon: reclaim may write pages out from now on.
     *
     * @param slots pages that fit
     * @return OK, or EBUSY if there is an area already, open or still in use
     */
    public Errno swapOn(final long slots) {
        final SwapSlots area = platform.swap();
        if (area != null && (!area.isClosed() || area.inUse() != 0)) {
            return Errno.EBUSY;
        }
        platform.swap(new SwapSlots(platform.data(), slots));
        return Errno.OK;
    }

    /**
     * swapoff: brings every page back and writes none out any more.
     *
     * @return OK; EINVAL if there is no area, ENOMEM if frames ran out, the area being in use again then
     */
    public Errno swapOff(final Task task) {
        final SwapCache cache = platform.swapCache();
        if (cache == null || cache.slots().isClosed()) {
            return Errno.EINVAL;
        }
        final SwapSlots area = cache.slots();
        cache.close(task);
        while (area.inUse() != 0) { // ends: each round brings pages back; a fork meanwhile may have added entries
            for (final AddressSpace space : spaces()) {
                final Errno result = Reclaimer.bringBack(task, space);
                if (result != Errno.OK) {
                    area.open();
                    return result;
                }
            }
        }
        return Errno.OK;
    }

    /** Reclaims up to so many pages, as kswapd does: see {@link Reclaimer}. */
    public void reclaim(final Task task, final int pages) {
        reclaimHand.set(Reclaimer.shrink(task, platform, reclaimHand.get(), pages));
    }

    /** Moves pages together, as kcompactd does; returns how many: see {@link Compactor}. */
    public int compact(final Task task) {
        return Compactor.compact(task, platform);
    }

    /** A scanner that merges pages of the same content; used by one task at a time. */
    public SamePageMerger newSamePageMerger() {
        return new SamePageMerger(platform);
    }

    /** Sets huge pages apart for hugetlb mappings; false if there are not enough frames. */
    public boolean reserveHugePages(final Task task, final int count) {
        return platform.hugePages().grow(task, count);
    }

    /** mm_alloc; null if there is no room for a root table. */
    AddressSpace newSpace() {
        final AddressSpace space = new AddressSpace(nextSpace.getAndIncrement(), platform);
        if (!space.pageTable().radix().hasRoot()) {
            return null;
        }
        spaces.add(space);
        return space;
    }

    void forget(final AddressSpace space) {
        spaces.remove(space);
    }

    /** Address spaces that have not been torn down. */
    public List<AddressSpace> spaces() {
        spaces.removeIf(space -> !space.isAlive());
        return spaces;
    }

    /** The devices that compute on shared memory. */
    public List<SvmDevice> devices() {
        return devices;
    }

    /**
     * A device that computes on a process's memory, subscribed to it.
     *
     * @param task who attaches it
     * @param lanes lanes, at least 1
     * @param clock monotonic nanoseconds, for the driver's time bound
     */
    public SvmDevice newDevice(final Task task, final Process process, final int lanes, final LongSupplier clock) {
        final SvmDevice device = new SvmDevice(
                nextDevice.getAndIncrement(),
                nextActor.getAndIncrement(),
                process.space(),
                lanes,
                spec.delivery(),
                spec.ringCapacity(),
                spec.driver(),
                clock);
        device.attach(task);
        devices.add(device);
        return device;
    }

    /** Detaches a device whose worker has stopped. */
    public void removeDevice(final Task task, final SvmDevice device) {
        device.detach(task);
        device.free();
        devices.remove(device);
    }

    /** The kernel's test device; always delivered inline, since it has no worker. */
    public MirrorDevice newMirrorDevice(final int number) {
        return new MirrorDevice(platform, number);
    }

    /** The kernel's test device, with so many pages of memory and no more. */
    public MirrorDevice newMirrorDevice(final int number, final long memoryPages) {
        return new MirrorDevice(platform, number, memoryPages, 1);
    }
}
