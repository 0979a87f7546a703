package mmutex.bench.torture.op.plot;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle;
import mmutex.device.MirrorHandle.Result;
import mmutex.mm.Errno;

/** The test device reads, writes, snapshots own pages, or makes them exclusive: it sees what the hand left there (I35). */
public final class MirrorPlot implements TortureOperation {
    @Override
    public int weight() {
        return 10;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final Plot plot = hand.choosePlot(member);
        final int[] range = plot.chooseRange(hand.dice());
        switch (hand.dice().nextInt(4)) {
            case 0:
                read(hand, member, plot, range);
                break;
            case 1:
                write(hand, member, plot, range);
                break;
            case 2:
                snapshot(hand, member, plot, range);
                break;
            default:
                if (hand.mayMakeExclusive(plot)) {
                    exclusive(hand, member, plot, range);
                }
        }
    }

    private static void read(final Hand hand, final Member member, final Plot plot, final int[] range) {
        final byte[] data = new byte[(range[1] - range[0]) * World.PAGE];
        final Result result =
                hand.mirror().read(hand.cpu(), plot.addr(range[0]), range[1] - range[0], DeviceBuffer.ofArray(data));
        final Errno expected = plot.isAll(range, World.READ) ? Errno.OK : Errno.EFAULT;
        Finding.require(result.errno() == expected, "device read: %s, expected %s", result.errno(), expected);
        compare(hand, member, plot, range, data, result);
    }

    private static void exclusive(final Hand hand, final Member member, final Plot plot, final int[] range) {
        final byte[] data = new byte[(range[1] - range[0]) * World.PAGE];
        final Result result = hand.maker(plot)
                .exclusive(hand.cpu(), plot.addr(range[0]), range[1] - range[0], DeviceBuffer.ofArray(data));
        if (!plot.isAll(range, World.READ_WRITE)) {
            final Errno refused = hand.world().profile().deviceReportsErrno() ? Errno.EFAULT : Errno.EBUSY;
            Finding.require(result.errno() == refused, "exclusive: %s, expected %s", result.errno(), refused);
        } else {
            // Busy: a child had the page lock. Gone again: somebody forked meanwhile.
            Finding.require(
                    result.errno() == Errno.OK || result.errno() == Errno.EBUSY || result.errno() == Errno.ENOENT,
                    "exclusive: %s",
                    result.errno());
        }
        if (hand.maker(plot) != hand.mirror()) {
            return; // it may have been handed another page
        }
        compare(hand, member, plot, range, data, result);
    }

    private static void compare(
            final Hand hand,
            final Member member,
            final Plot plot,
            final int[] range,
            final byte[] data,
            final Result result) {
        if (result.errno() == Errno.OK) {
            Finding.require(result.cpages() == range[1] - range[0], "device transferred %d pages", result.cpages());
            for (int i = 0; i < range[1] - range[0]; i++) {
                hand.checkPlotWord(member, plot, range[0] + i, World.word(data, i));
            }
        }
    }

    private static void write(final Hand hand, final Member member, final Plot plot, final int[] range) {
        final int pages = range[1] - range[0];
        final ByteBuffer data = ByteBuffer.allocate(pages * World.PAGE).order(ByteOrder.nativeOrder());
        final long value = hand.freshValue();
        for (int i = 0; i < pages; i++) {
            data.putLong(i * World.PAGE, value);
            data.putLong((i + 1) * World.PAGE - Long.BYTES, value);
        }
        final Result result =
                hand.mirror().write(hand.cpu(), plot.addr(range[0]), pages, DeviceBuffer.ofArray(data.array()));
        final boolean all = plot.isAll(range, World.READ_WRITE);
        // Pages of the device's own memory that a fork has made read-only are refused even so (Q12).
        final boolean done = result.errno() == Errno.OK;
        Finding.require(
                done ? all : result.errno() == Errno.EFAULT || !all && result.errno() == Errno.EPERM,
                "device write: %s",
                result.errno());
        for (int page = range[0]; page < range[1]; page++) {
            if (done) {
                plot.page(page).deviceWrote(value);
            } else if (plot.page(page).isWritable()) {
                plot.page(page).mayHold(value); // those before the failing one
            }
        }
    }

    private static void snapshot(final Hand hand, final Member member, final Plot plot, final int[] range) {
        final byte[] perms = new byte[range[1] - range[0]];
        final Result result =
                hand.mirror().snapshot(hand.cpu(), plot.addr(range[0]), perms.length, DeviceBuffer.ofArray(perms));
        Finding.require(result.errno() == Errno.OK, "snapshot: %s", result.errno());
        for (int i = 0; i < perms.length; i++) {
            final Plot.Page page = plot.page(range[0] + i);
            final boolean error = (perms[i] & 0xFF) == MirrorHandle.PERM_ERROR;
            Finding.require(error == !page.isReadable(), "snapshot of page %d says %d", range[0] + i, perms[i] & 0xFF);
            Finding.require(
                    error || page.isWritable() || (perms[i] & MirrorHandle.PERM_WRITE) == 0,
                    "snapshot: read-only page %d is writable",
                    range[0] + i);
        }
    }
}
