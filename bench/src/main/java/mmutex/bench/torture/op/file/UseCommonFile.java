package mmutex.bench.torture.op.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Tags;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.fault.Signal;
import mmutex.mm.Errno;

/** Tags read from and written to a file that all map while others truncate it, by CPUs and by the test device. */
public final class UseCommonFile implements TortureOperation {
    @Override
    public int weight() {
        return 12;
    }

    @Override
    public void perform(final Hand hand) {
        final int page = hand.dice().nextInt(World.FILE_PAGES);
        final boolean shared = hand.dice().nextInt(3) != 0;
        if (hand.dice().nextInt(4) == 0) {
            byDevice(hand, page, shared);
            return;
        }
        final Member member = hand.runAny();
        for (int left = 1 + hand.dice().nextInt(16); left > 0; left--) {
            byCpu(hand, member, page, shared);
        }
    }

    private static void byCpu(final Hand hand, final Member member, final int page, final boolean shared) {
        final long addr = World.commonFile(page, shared) + (long) hand.dice().nextInt(World.WORDS) * Long.BYTES;
        final boolean write = hand.dice().nextBoolean();
        final Signal signal = write
                ? hand.cpu().storeLong(addr, hand.world().tags().make(World.fileTag(page), member.lineage))
                : hand.cpu().loadLong(addr);
        Finding.require(
                signal == Signal.NONE || signal == Signal.BUS_ADRERR,
                "access to page %d of the common file: %s",
                page,
                signal);
        if (!write && signal == Signal.NONE) {
            check(hand, page, hand.cpu().value());
        }
    }

    private static void check(final Hand hand, final int page, final long word) {
        Finding.require(
                word == 0 || Tags.isFor(word, World.fileTag(page)),
                "%s: page %d of the common file holds 0x%x, which nobody wrote there",
                hand.cpu().name(),
                page,
                word);
    }

    private static void byDevice(final Hand hand, final int page, final boolean shared) {
        final Member member = hand.runRoot();
        final ByteBuffer data = ByteBuffer.allocate(World.PAGE).order(ByteOrder.nativeOrder());
        final boolean write = hand.dice().nextBoolean();
        data.putLong(0, hand.world().tags().make(World.fileTag(page), member.lineage));
        final DeviceBuffer buffer = DeviceBuffer.ofArray(data.array());
        final long addr = World.commonFile(page, shared);
        final Result result = write
                ? hand.mirror().write(hand.cpu(), addr, 1, buffer)
                : hand.mirror().read(hand.cpu(), addr, 1, buffer);
        Finding.require(
                result.errno() == Errno.OK || result.errno() == Errno.EFAULT || result.errno() == Errno.EBUSY,
                "device access to the common file: %s",
                result.errno());
        for (int i = 0; i < World.WORDS && !write && result.errno() == Errno.OK; i++) {
            check(hand, page, data.getLong(i * Long.BYTES));
        }
    }
}
