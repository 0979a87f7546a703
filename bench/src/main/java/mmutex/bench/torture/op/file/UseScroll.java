package mmutex.bench.torture.op.file;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Possible;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.fault.Signal;
import mmutex.mm.Errno;

/** Reads and writes the hand's file through its mappings, as a file, and by way of the kernel; behind the end is SIGBUS. */
public final class UseScroll implements TortureOperation {
    @Override
    public int weight() {
        return 16;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final int page = hand.scroll().choosePage(hand.dice());
        final boolean shared = hand.dice().nextBoolean();
        switch (hand.dice().nextInt(6)) {
            case 0:
                byFile(hand, page);
                break;
            case 1:
                byKernel(hand, member, page, shared);
                break;
            case 2:
            case 3:
                write(hand, member, page, shared);
                break;
            default:
                hand.checkScrollPage(member, page, shared);
        }
    }

    private static void write(final Hand hand, final Member member, final int page, final boolean shared) {
        final long value = hand.freshValue();
        final Signal signal = hand.cpu().storeLong(hand.scroll().addr(page, shared), value);
        hand.expectAtScroll(page, signal);
        if (signal == Signal.NONE) {
            hand.wroteScroll(member, page, shared, value);
        }
    }

    private static void byFile(final Hand hand, final int page) {
        final byte[] bytes = new byte[Long.BYTES];
        final ByteBuffer word = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        final long offset = (long) page * World.PAGE;
        final boolean write = hand.dice().nextBoolean();
        final long value = hand.freshValue();
        word.putLong(0, value);
        final Errno errno = write
                ? hand.scroll().file().write(hand.cpu(), offset, bytes)
                : hand.scroll().file().read(hand.cpu(), offset, bytes);
        final Errno expected = page < hand.scroll().size() ? Errno.OK : Errno.EINVAL;
        Finding.require(errno == expected, "pread or pwrite of page %d: %s, expected %s", page, errno, expected);
        if (errno == Errno.OK && write) {
            hand.scroll().contents(page, Possible.of(value));
        } else if (errno == Errno.OK) {
            Finding.require(
                    hand.scroll().contents(page).admits(word.getLong(0)),
                    "file of %s: pread of page %d finds 0x%x, expected %s",
                    hand.cpu().name(),
                    page,
                    word.getLong(0),
                    hand.scroll().contents(page));
        }
    }

    /** /proc/PID/mem and process_vm_readv get no signal, but nothing. */
    private static void byKernel(final Hand hand, final Member member, final int page, final boolean shared) {
        final byte[] bytes = new byte[Long.BYTES];
        final ByteBuffer word = ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder());
        final long addr = hand.scroll().addr(page, shared);
        final boolean write = hand.dice().nextBoolean();
        final long value = hand.freshValue();
        word.putLong(0, value);
        final int done;
        if (hand.dice().nextBoolean()) {
            done = write
                    ? member.process.writePinned(hand.cpu(), addr, bytes)
                    : member.process.readPinned(hand.cpu(), addr, bytes);
        } else {
            done = write
                    ? member.process.writeForced(hand.cpu(), addr, bytes)
                    : member.process.readForced(hand.cpu(), addr, bytes);
        }
        final int expected = page < hand.scroll().size() ? bytes.length : 0;
        Finding.require(done == expected, "remote access to page %d of a file: %d bytes", page, done);
        if (done != 0 && write) {
            hand.wroteScroll(member, page, shared, value);
        } else if (done != 0) {
            hand.checkScrollWord(member, page, shared, word.getLong(0), "remote read");
        }
    }
}
