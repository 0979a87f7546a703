package mmutex.bench.torture.world;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import mmutex.machine.Process;
import mmutex.machine.UserFaultFd;
import mmutex.mm.Errno;
import mmutex.mm.Task;
import mmutex.mm.UserFaults.Message;

/**
 * Pages of the shared process whose faults a handler resolves, in a thread of its own. Half of them are always registered, and
 * the handler puts a tag into each that is missing: nobody may ever find a zero there. The others he may fill with zeroes, and
 * now and then they have no handler.
 *
 * <p>Threads: one handler; any hand.
 */
public final class Nursery {
    public static final int PAGES = 8;
    private static final long START = 0x7200_0000L;

    private final Process process;
    private final Tags tags;
    private final UserFaultFd faults;

    /** Its memory has been mapped. */
    public Nursery(final Task task, final Process process, final Tags tags) {
        this.process = process;
        this.tags = tags;
        this.faults = new UserFaultFd(process);
        require(faults.register(task, START, (long) PAGES * World.PAGE, true, true), "register");
    }

    public static long addr(final int page) {
        return START + (long) page * World.PAGE;
    }

    /** What tags of a page say. */
    public static int tag(final int page) {
        return 64 + page;
    }

    /** Whether a page has a handler at any moment, who fills it. */
    public static boolean isStrict(final int page) {
        return page % 2 == 0;
    }

    public UserFaultFd faults() {
        return faults;
    }

    /** The handler's turn: resolves one fault; false if there is none. */
    public boolean handle(final Task handler, final SplittableRandom dice) {
        final Message message = faults.poll(handler);
        if (message == null) {
            return false;
        }
        final long addr = message.addr() & -World.PAGE;
        final int page = (int) ((addr - START) / World.PAGE);
        if (dice.nextInt(8) == 0) {
            faults.wake(handler, addr, World.PAGE); // for nothing: the fault comes again
        } else if (message.writeProtect()) {
            final Errno errno = faults.writeProtect(handler, addr, World.PAGE, false);
            Finding.require(
                    errno == Errno.OK || errno == Errno.ENOENT && !isStrict(page), "end of protection: %s", errno);
            faults.wake(handler, addr, World.PAGE);
        } else {
            fill(handler, dice, addr, page);
        }
        return true;
    }

    private void fill(final Task handler, final SplittableRandom dice, final long addr, final int page) {
        final boolean zeroes = !isStrict(page) && dice.nextBoolean();
        final byte[] contents = new byte[World.PAGE];
        ByteBuffer.wrap(contents).order(ByteOrder.nativeOrder()).putLong(0, tags.make(tag(page), Tags.ROOT_LINEAGE));
        final Errno errno = zeroes ? faults.zero(handler, addr) : faults.copy(handler, addr, contents);
        if (errno != Errno.OK) {
            // Another fault's answer was faster, or there is no handler any more.
            Finding.require(
                    errno == Errno.EEXIST || errno == Errno.ENOENT && !isStrict(page), "filling a page: %s", errno);
            faults.wake(handler, addr, World.PAGE);
        }
    }

    /** No faults come any more. */
    public void close(final Task task) {
        faults.close(task);
    }

    public static void require(final Errno errno, final String what) {
        Finding.require(errno == Errno.OK, "userfaultfd %s: %s", what, errno);
    }
}
