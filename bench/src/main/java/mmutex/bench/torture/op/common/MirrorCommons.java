package mmutex.bench.torture.op.common;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** The test device reads common pages or writes tags to them, under the sequence protocol. */
public final class MirrorCommons implements TortureOperation {
    @Override
    public int weight() {
        return 5;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final int first = hand.dice().nextInt(World.COMMONS_PAGES);
        final int pages = 1 + hand.dice().nextInt(World.COMMONS_PAGES - first);
        final ByteBuffer data = ByteBuffer.allocate(pages * World.PAGE).order(ByteOrder.nativeOrder());
        final boolean write = hand.dice().nextBoolean();
        final DeviceBuffer buffer = DeviceBuffer.ofArray(data.array());
        for (int i = 0; write && i < pages; i++) {
            data.putLong(i * World.PAGE, hand.world().tags().make(first + i, member.lineage));
        }
        final Result result = write
                ? hand.mirror().write(hand.cpu(), World.commons(first), pages, buffer)
                : hand.mirror().read(hand.cpu(), World.commons(first), pages, buffer);
        Finding.require(
                result.errno() == Errno.OK
                        || result.errno() == Errno.EFAULT
                        || result.errno() == Errno.EPERM
                        || result.errno() == Errno.EBUSY,
                "device access to common pages: %s",
                result.errno());
        for (int i = 0; !write && result.errno() == Errno.OK && i < pages * World.WORDS; i++) {
            final int page = i / World.WORDS;
            member.checkCommon(
                    first + page,
                    data.getLong(page * World.PAGE + i % World.WORDS * Long.BYTES),
                    "device of " + hand.cpu().name());
        }
    }
}
