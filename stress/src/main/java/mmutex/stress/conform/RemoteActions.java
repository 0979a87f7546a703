package mmutex.stress.conform;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import mmutex.machine.Pipe;
import mmutex.mm.Errno;

/** Access to a process's memory by the kernel on somebody's behalf: /proc files, other processes, pipes, futexes. */
final class RemoteActions {
    private static final long WORD_MASK = 0xffff_ffffL;
    /** What a pipe holds; a writer of more waits for a reader. */
    private static final long LENGTH_MAX = 1 << 16;

    private RemoteActions() {}

    static Outcome readProcMem(final World world, final Party party, final Step step) throws NotEmulated {
        final byte[] bytes = new byte[length(step)];
        return transferred(party.process().readForced(party.cpu(), step.at(), bytes), bytes, Errno.EIO);
    }

    /** The word that was written stands among the results only. */
    static Outcome writeProcMem(final World world, final Party party, final Step step) throws NotEmulated {
        final byte[] bytes = written(step);
        return transferred(party.process().writeForced(party.cpu(), step.at(), bytes), bytes, Errno.EIO);
    }

    static Outcome readProcess(final World world, final Party party, final Step step) throws NotEmulated {
        final byte[] bytes = new byte[length(step)];
        return transferred(party.process().readPinned(party.cpu(), step.at(), bytes), bytes, Errno.EFAULT);
    }

    static Outcome writeProcess(final World world, final Party party, final Step step) throws NotEmulated {
        final byte[] bytes = written(step);
        return transferred(party.process().writePinned(party.cpu(), step.at(), bytes), bytes, Errno.EFAULT);
    }

    /** The kernel copies from the page into a pipe, out of which the recorder then reads it. */
    static Outcome writePipe(final World world, final Party party, final Step step) throws NotEmulated {
        final Pipe pipe = new Pipe();
        return drained(pipe, pipe.write(party.cpu(), step.at(), length(step)), step);
    }

    /** The kernel copies a word out of a pipe into the page. */
    static Outcome readPipeInto(final World world, final Party party, final Step step) throws NotEmulated {
        final Pipe pipe = new Pipe();
        pipe.write(bytesOf((int) step.number("val"), length(step)));
        final Errno errno = pipe.read(party.cpu(), step.at(), length(step));
        pipe.close();
        return errno == Errno.OK ? Outcome.returned(length(step)) : Outcome.of(errno);
    }

    /** The pipe refers to the page, until the recorder has read it. */
    static Outcome splice(final World world, final Party party, final Step step) throws NotEmulated {
        final Pipe pipe = new Pipe();
        return drained(pipe, pipe.splice(party.cpu(), party.process(), step.at(), length(step)), step);
    }

    static Outcome spliceAndHold(final World world, final Party party, final Step step) throws NotEmulated {
        final Errno errno = party.pipe().splice(party.cpu(), party.process(), step.at(), length(step));
        return errno == Errno.OK ? Outcome.returned(length(step)) : Outcome.of(errno);
    }

    static Outcome readPipe(final World world, final Party party, final Step step) throws NotEmulated {
        final byte[] bytes = new byte[length(step)];
        return transferred(party.pipe().read(bytes), bytes, Errno.EAGAIN);
    }

    /** Nobody else runs who could wake it, so however long the time, it is over after the word has been looked at. */
    static Outcome waitFutex(final World world, final Party party, final Step step) throws NotEmulated {
        if (!step.truth("private")) {
            throw new NotEmulated("futex_wait on a shared futex");
        }
        return Outcome.of(
                party.process().futexes().await(party.cpu(), step.at(), (int) step.number("expect"), () -> true));
    }

    private static Outcome drained(final Pipe pipe, final Errno errno, final Step step) throws NotEmulated {
        final byte[] bytes = new byte[length(step)];
        final int count = pipe.read(bytes);
        pipe.close();
        return errno == Errno.OK ? transferred(count, bytes, Errno.EFAULT) : Outcome.of(errno);
    }

    private static Outcome transferred(final int count, final byte[] bytes, final Errno ifNone) {
        if (bytes.length == 0) {
            return Outcome.returned(0);
        }
        return count > 0 ? Outcome.returned(count).with("val", word(bytes)) : Outcome.of(ifNone);
    }

    private static byte[] written(final Step step) throws NotEmulated {
        return bytesOf(((Long) step.results().getOrDefault("val", 0L)).intValue(), length(step));
    }

    private static int length(final Step step) throws NotEmulated {
        if (step.number("len") > LENGTH_MAX) {
            throw new NotEmulated(step.operation() + " of more than 64 KiB");
        }
        return (int) step.number("len");
    }

    private static byte[] bytesOf(final int word, final int length) {
        final ByteBuffer buffer =
                ByteBuffer.allocate(Math.max(length, Integer.BYTES)).order(ByteOrder.nativeOrder());
        buffer.putInt(word);
        final byte[] bytes = new byte[length];
        System.arraycopy(buffer.array(), 0, bytes, 0, length);
        return bytes;
    }

    private static long word(final byte[] bytes) {
        final byte[] padded = new byte[Math.max(bytes.length, Integer.BYTES)];
        System.arraycopy(bytes, 0, padded, 0, bytes.length);
        return ByteBuffer.wrap(padded).order(ByteOrder.nativeOrder()).getInt() & WORD_MASK;
    }
}
