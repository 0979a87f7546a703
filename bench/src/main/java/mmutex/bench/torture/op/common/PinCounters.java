package mmutex.bench.torture.op.common;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.TortureOperation;

/** process_vm_readv of counters: pins their pages for a moment, while others convert and copy them. */
public final class PinCounters implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        hand.runRoot();
        final int page = hand.dice().nextInt(Counters.PAGES);
        final byte[] bytes = new byte[Counters.PER_PAGE * Long.BYTES];
        final int done = hand.world().root().readPinned(hand.cpu(), Counters.addr(page * Counters.PER_PAGE), bytes);
        Finding.require(done == bytes.length, "process_vm_readv of counters: %d bytes", done);
        final ByteBuffer words = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        for (int i = 0; i < Counters.PER_PAGE; i++) {
            hand.sawCounter(page * Counters.PER_PAGE + i, words.getLong(i * Long.BYTES), "process_vm_readv");
        }
    }
}
