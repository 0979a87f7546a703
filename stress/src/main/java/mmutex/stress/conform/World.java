package mmutex.stress.conform;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import mmutex.change.SamePageMerger;
import mmutex.device.MirrorDevice;
import mmutex.machine.File;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.machine.UserFaultFd;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;

/**
 * The machine on which one scenario is replayed: processes by the recording's names, each on a CPU of its own, and two
 * test devices, which the first process has opened as its handles 0 and 1 before anything happens.
 */
final class World implements AutoCloseable {
    private static final List<String> NAMES = List.of("p", "c", "g");
    /** Pages of memory. */
    static final long FRAMES = 1 << 16;

    private final Machine machine;
    private final List<MirrorDevice> devices;
    private final Map<String, Party> parties = new HashMap<>();
    private final Set<Long> watched = new HashSet<>();
    private boolean forked;
    private File file;
    private FaultHandlerThread faultHandler;
    private SamePageMerger merger;

    World(final SemanticProfile profile) {
        this.machine = new Machine(MachineSpec.defaults()
                .withProfile(profile)
                .withDelivery(Delivery.INLINE)
                .withCpus(NAMES.size())
                .withFrames(FRAMES));
        this.devices = List.of(machine.newMirrorDevice(0), machine.newMirrorDevice(1));
        final Party first = new Party(machine.newProcess(), machine.cpu(0), List.of());
        first.addHandles(open(0, first), open(1, first));
        parties.put(NAMES.get(0), first);
    }

    /** The scenario's file, filled before it is mapped; null if there is none. */
    File file() {
        return file;
    }

    /** Makes the scenario's file: page k consists of words that tell the page. */
    File newFile(final Party party, final long pages, final int firstWord) {
        file = machine.newFile(party.cpu(), pages);
        final ByteBuffer page = ByteBuffer.allocate(1 << Place.PAGE_SHIFT).order(ByteOrder.nativeOrder());
        for (long k = 0; k < pages; k++) {
            page.clear();
            while (page.hasRemaining()) {
                page.putInt((int) (firstWord + k));
            }
            if (file.write(party.cpu(), k << Place.PAGE_SHIFT, page.array()) != Errno.OK) {
                throw new IllegalStateException("no room for a file: pages=" + pages);
            }
        }
        return file;
    }

    /** The thread that answers a process's user faults, started when it is first needed. */
    FaultHandlerThread faultHandler(final Party party) {
        if (faultHandler == null) {
            final Task task = machine.newTask("user fault handler");
            faultHandler = new FaultHandlerThread(new UserFaultFd(party.process()), task);
        }
        return faultHandler;
    }

    /** The machine's scanner for pages of the same content. */
    SamePageMerger samePageMerger() {
        if (merger == null) {
            merger = machine.newSamePageMerger();
        }
        return merger;
    }

    /** The scenario is over: no thread outlives it. */
    @Override
    public void close() {
        if (faultHandler != null) {
            faultHandler.close(machine.newTask("closer"));
        }
    }

    Machine machine() {
        return machine;
    }

    /** A process that exists. */
    Party party(final String name) {
        return parties.get(name);
    }

    /** Opens a device on the memory of a process. */
    OpenFile open(final int device, final Party party) {
        return new OpenFile(
                devices.get(device).open(party.cpu(), party.process().space()));
    }

    /** A process has forked. */
    void add(final String name, final Process child, final Party parent) {
        parties.put(name, new Party(child, machine.cpu(NAMES.indexOf(name)), parent.inheritFiles()));
        forked = true;
    }

    /** A process ends. */
    void exit(final String name) {
        parties.remove(name).exit();
    }

    /** Whether there has ever been a second process. */
    boolean hasForked() {
        return forked;
    }

    /** Adds a page to those that are ever looked at. */
    void watch(final long address) {
        watched.add(address);
    }

    /** Frames that any process shows in any page that was ever looked at. */
    Set<Long> visibleFrames() {
        return framesOf(parties.values());
    }

    /** The same, but for one process. */
    Set<Long> visibleFramesWithout(final String name) {
        final Map<String, Party> others = new HashMap<>(parties);
        others.remove(name);
        return framesOf(others.values());
    }

    private Set<Long> framesOf(final Collection<Party> shown) {
        final Set<Long> frames = new HashSet<>();
        for (final Party party : shown) {
            for (final long address : watched) {
                frames.add(PageReader.read(party, address).frame());
            }
        }
        return frames;
    }
}
