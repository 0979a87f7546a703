package mmutex.bench.torture.op.common;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Nursery;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.fault.Signal;
import mmutex.mm.Errno;

/** Accesses to pages whose faults a handler resolves: CPUs wait for him; devices and the kernel do without. */
public final class UseNursery implements TortureOperation {
    @Override
    public int weight() {
        return 12;
    }

    @Override
    public void perform(final Hand hand) {
        final int page = hand.dice().nextInt(Nursery.PAGES);
        if (hand.dice().nextInt(4) != 0) {
            byCpu(hand, hand.runAny(), page);
        } else if (hand.dice().nextBoolean()) {
            byDevice(hand, hand.runRoot(), page);
        } else {
            byKernel(hand, hand.runRoot(), page);
        }
    }

    private static void byCpu(final Hand hand, final Member member, final int page) {
        final int word = hand.dice().nextInt(World.WORDS);
        final long addr = Nursery.addr(page) + (long) word * Long.BYTES;
        final boolean write = hand.dice().nextBoolean();
        final Signal signal = write
                ? hand.cpu().storeLong(addr, hand.world().tags().make(Nursery.tag(page), member.lineage))
                : hand.cpu().loadLong(addr);
        Finding.require(
                signal == Signal.NONE || member.reaped && signal == Signal.BUS_ADRERR,
                "access to page %d that a handler fills: %s",
                page,
                signal);
        if (!write && signal == Signal.NONE) {
            check(hand, member, page, word, hand.cpu().value());
        }
    }

    private static void check(final Hand hand, final Member member, final int page, final int index, final long word) {
        member.checkCommon(Nursery.tag(page), word, hand.cpu().name());
        Finding.require(
                word != 0 || index != 0 || !member.isRoot() || !Nursery.isStrict(page),
                "%s: page %d has come back without its handler",
                hand.cpu().name(),
                page);
    }

    private static void byDevice(final Hand hand, final Member member, final int page) {
        final ByteBuffer data = ByteBuffer.allocate(World.PAGE).order(ByteOrder.nativeOrder());
        final boolean write = hand.dice().nextBoolean();
        data.putLong(0, hand.world().tags().make(Nursery.tag(page), member.lineage));
        final DeviceBuffer buffer = DeviceBuffer.ofArray(data.array());
        final Result result = write
                ? hand.mirror().write(hand.cpu(), Nursery.addr(page), 1, buffer)
                : hand.mirror().read(hand.cpu(), Nursery.addr(page), 1, buffer);
        Finding.require(
                result.errno() == Errno.OK || result.errno() == Errno.EFAULT || result.errno() == Errno.EBUSY,
                "device access to a page that a handler fills: %s",
                result.errno());
        for (int i = 0; i < World.WORDS && !write && result.errno() == Errno.OK; i++) {
            check(hand, member, page, i, data.getLong(i * Long.BYTES));
        }
    }

    private static void byKernel(final Hand hand, final Member member, final int page) {
        final byte[] bytes = new byte[Long.BYTES];
        final int done = hand.dice().nextBoolean()
                ? member.process.readForced(hand.cpu(), Nursery.addr(page), bytes)
                : member.process.readPinned(hand.cpu(), Nursery.addr(page), bytes);
        Finding.require(done == 0 || done == bytes.length, "remote read of %d bytes", done);
        if (done != 0) {
            check(
                    hand,
                    member,
                    page,
                    0,
                    ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).getLong());
        }
    }
}
