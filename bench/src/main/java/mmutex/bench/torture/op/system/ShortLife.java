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

/** A process comes, is worked on by a device, and goes with the device still open: what exec leaves behind. */
public final class ShortLife implements TortureOperation {
    @Override
    public int weight() {
        return 2;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runNone();
        final Process process = hand.world().machine().newProcess();
        hand.cpu().run(process);
        final Errno mapped = process.mmap(hand.cpu(), World.COMMONS, (long) PAGES * World.PAGE, World.READ_WRITE);
        Finding.require(mapped == Errno.OK, "mmap in a new process: %s", mapped);
        final long value = hand.freshValue();
        final int touched = 1 + hand.dice().nextInt(PAGES);
        for (int page = 0; page < touched; page++) {
            final Signal signal = hand.cpu().storeLong(World.commons(page), value);
            Finding.require(signal == Signal.NONE, "write in a new process: %s", signal);
        }
        final MirrorHandle handle = hand.world().passing().open(hand.cpu(), process.space());
        final byte[] data = new byte[PAGES * World.PAGE];
        final MirrorHandle.Result result =
                handle.exclusive(hand.cpu(), World.COMMONS, PAGES, DeviceBuffer.ofArray(data));
        // Reclaim or compaction may have a page in its hands, or take it away again.
        final boolean done = result.errno() == Errno.OK;
        Finding.require(
                done || result.errno() == Errno.EBUSY || result.errno() == Errno.ENOENT,
                "exclusive in a new process: %s",
                result.errno());
        for (int page = 0; done && page < PAGES; page++) {
            final long found = World.word(data, page);
            Finding.require(found == (page < touched ? value : 0), "the device read 0x%x in a new process", found);
        }
        hand.cpu().run(null);
        process.exit(hand.cpu());
        handle.close(hand.cpu());
        hand.runRoot();
    }

    private static final int PAGES = 4;
}
