package mmutex.bench.torture.op.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Possible;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** The test device reads and writes the hand's file through its mappings, or makes private pages exclusive, copying them. */
public final class MirrorScroll implements TortureOperation {
    @Override
    public int weight() {
        return 8;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final int[] range = hand.scroll().chooseRange(hand.dice());
        final boolean shared = hand.dice().nextBoolean();
        switch (hand.dice().nextInt(3)) {
            case 0:
                read(hand, member, range, shared);
                break;
            case 1:
                write(hand, member, range, shared);
                break;
            default:
                exclusive(hand, member, range, shared);
        }
    }

    private static void read(final Hand hand, final Member member, final int[] range, final boolean shared) {
        final byte[] data = new byte[(range[1] - range[0]) * World.PAGE];
        final Result result = hand.mirror()
                .read(
                        hand.cpu(),
                        hand.scroll().addr(range[0], shared),
                        range[1] - range[0],
                        DeviceBuffer.ofArray(data));
        final Errno expected = range[1] <= hand.scroll().size() ? Errno.OK : Errno.EFAULT;
        Finding.require(result.errno() == expected, "device read of a file: %s, not %s", result.errno(), expected);
        compare(hand, member, range, shared, data, result);
    }

    private static void compare(
            final Hand hand,
            final Member member,
            final int[] range,
            final boolean shared,
            final byte[] data,
            final Result result) {
        for (int page = range[0]; page < range[1] && result.errno() == Errno.OK; page++) {
            hand.checkScrollWord(member, page, shared, World.word(data, page - range[0]), "device");
        }
    }

    private static void write(final Hand hand, final Member member, final int[] range, final boolean shared) {
        final int pages = range[1] - range[0];
        final ByteBuffer data = ByteBuffer.allocate(pages * World.PAGE).order(ByteOrder.nativeOrder());
        final long value = hand.freshValue();
        for (int i = 0; i < pages; i++) {
            data.putLong(i * World.PAGE, value);
        }
        final Result result = hand.mirror()
                .write(hand.cpu(), hand.scroll().addr(range[0], shared), pages, DeviceBuffer.ofArray(data.array()));
        final Errno expected = range[1] <= hand.scroll().size() ? Errno.OK : Errno.EFAULT;
        Finding.require(result.errno() == expected, "device write to a file: %s, not %s", result.errno(), expected);
        for (int page = range[0]; page < range[1]; page++) {
            if (result.errno() == Errno.OK) {
                hand.wroteScroll(member, page, shared, value);
            } else if (page < hand.scroll().size()) {
                mayHaveWritten(hand, member, page, shared, value);
            }
        }
    }

    /** Pages before the failing one may have been written, or only been brought in for it: copied, that is. */
    private static void mayHaveWritten(
            final Hand hand, final Member member, final int page, final boolean shared, final long value) {
        final Possible before = hand.scroll().contents(page);
        if (shared) {
            hand.scroll().contents(page, before.or(value));
        } else {
            member.copies.mayHold(page, member.copies.seen(page, before).or(value));
        }
    }

    private static void exclusive(final Hand hand, final Member member, final int[] range, final boolean shared) {
        final boolean accepts = hand.world().profile().makeAcceptsShared();
        if (shared && accepts) {
            return; // V3's promise does not hold for shared pages
        }
        final byte[] data = new byte[(range[1] - range[0]) * World.PAGE];
        final Result result = hand.mirror()
                .exclusive(
                        hand.cpu(),
                        hand.scroll().addr(range[0], shared),
                        range[1] - range[0],
                        DeviceBuffer.ofArray(data));
        Finding.require(
                !shared && range[1] <= hand.scroll().size() || result.errno() != Errno.OK,
                "exclusive on pages %d to %d of a file of %d, %s: done",
                range[0],
                range[1],
                hand.scroll().size(),
                shared ? "shared" : "private");
        compare(hand, member, range, shared, data, result);
        for (int page = range[0];
                page < range[1] && !shared && page < hand.scroll().size();
                page++) {
            final Possible seen = member.copies.seen(page, hand.scroll().contents(page));
            if (result.errno() == Errno.OK) {
                member.copies.copied(page, seen);
            } else {
                member.copies.mayBeCopied(page, seen);
            }
        }
    }
}
