package mmutex.bench.torture.op.system;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.fault.Signal;
import mmutex.machine.Process;
import mmutex.mm.Errno;

/** A process of its own with huge pages of the pool, or a driver's pages: a device works on them, it forks, and all exit. */
public final class StrangeMemory implements TortureOperation {
    @Override
    public int weight() {
        return 2;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runNone();
        final Process process = hand.world().machine().newProcess();
        hand.cpu().run(process);
        final boolean huge = hand.dice().nextBoolean();
        final Errno mapped = huge
                ? process.mmapHuge(hand.cpu(), AT, (long) World.FOLIO_PAGES * World.PAGE, World.READ_WRITE)
                : process.mmapDriver(hand.cpu(), AT, (long) PAGES * World.PAGE, World.READ_WRITE);
        Finding.require(mapped == Errno.OK || huge && mapped == Errno.ENOMEM, "mmap of strange memory: %s", mapped);
        if (mapped == Errno.OK) {
            live(hand, process, huge);
        }
        hand.cpu().run(null);
        process.exit(hand.cpu());
        hand.runRoot();
    }

    private static final long AT = 0x8000_0000L;
    private static final int PAGES = 4;

    private static void live(final Hand hand, final Process process, final boolean huge) {
        final long value = hand.freshValue();
        for (int page = 0; page < PAGES; page += 2) {
            final Signal signal = hand.cpu().storeLong(AT + (long) page * World.PAGE, value);
            Finding.require(signal == Signal.NONE, "write to strange memory: %s", signal);
        }
        final MirrorHandle handle = hand.world().passing().open(hand.cpu(), process.space());
        final byte[] data = new byte[PAGES * World.PAGE];
        final Errno read =
                handle.read(hand.cpu(), AT, PAGES, DeviceBuffer.ofArray(data)).errno();
        for (int page = 0; read == Errno.OK && page < PAGES; page++) {
            final long found = World.word(data, page);
            Finding.require(found == (page % 2 == 0 ? value : 0), "a device reads 0x%x in strange memory", found);
        }
        final Errno made = handle.exclusive(hand.cpu(), AT, PAGES, DeviceBuffer.ofArray(data))
                .errno();
        Finding.require(!huge || made != Errno.OK, "a page of hugetlbfs has become exclusive");
        if (hand.dice().nextBoolean()) {
            fork(hand, process, value, huge);
        }
        handle.close(hand.cpu());
    }

    private static void fork(final Hand hand, final Process process, final long value, final boolean huge) {
        final Process.Forked forked = process.fork(hand.cpu());
        if (forked.errno() != Errno.OK) {
            Finding.require(forked.errno() == Errno.ENOMEM, "fork: %s", forked.errno());
            return;
        }
        // The copy of a huge page may be more than the pool has.
        final Signal written = hand.cpu().storeLong(AT, value + 1);
        Finding.require(written == Signal.NONE || huge, "write to strange memory: %s", written);
        hand.cpu().run(forked.child());
        final Signal signal = hand.cpu().loadLong(AT);
        Finding.require(
                signal == Signal.NONE ? hand.cpu().value() == value : huge,
                "a child reads 0x%x, %s",
                hand.cpu().value(),
                signal);
        hand.cpu().run(null);
        forked.child().exit(hand.cpu());
        hand.cpu().run(process);
    }
}
