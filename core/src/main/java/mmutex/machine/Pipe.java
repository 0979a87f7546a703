package mmutex.machine;

import java.util.ArrayDeque;
import java.util.Deque;
import mmutex.fault.PageGetter;
import mmutex.mm.AddressSpace;
import mmutex.mm.Errno;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * A pipe: bytes that were copied in, and references to pages that were spliced in. A spliced page is read when the pipe is
 * read; until then its reference keeps the frame, and makes the next write to a shared page copy it.
 *
 * <p>Threads: one at a time. Kernel counterpart: fs/pipe.c, fs/splice.c (6.12).
 */
public final class Pipe {
    private final Deque<Part> parts = new ArrayDeque<>();

    /** Bytes, or a referenced page. */
    private record Part(byte[] bytes, Platform platform, long pfn, int offset, int length) {
        void copyTo(final byte[] target, final int index, final int count) {
            if (platform == null) {
                System.arraycopy(bytes, offset, target, index, count);
            } else {
                platform.data().read(pfn, offset, target, index, count);
            }
        }

        Part behind(final int count) {
            return new Part(bytes, platform, pfn, offset + count, length - count);
        }

        void release() {
            if (platform != null) {
                platform.putPage(pfn);
            }
        }
    }

    /** write(2) from the memory of the process that the CPU runs: copied by the CPU, so it faults like the program. */
    public Errno write(final Cpu cpu, final long addr, final int length) {
        final byte[] bytes = new byte[length];
        final Errno errno = new UserBuffer(addr).copyIn(cpu, bytes, length);
        if (errno == Errno.OK) {
            write(bytes);
        }
        return errno;
    }

    /** Puts bytes in. */
    public void write(final byte[] bytes) {
        parts.add(new Part(bytes.clone(), null, 0, 0, bytes.length));
    }

    /** read(2) into the memory of the process that the CPU runs; EFAULT takes nothing out. */
    public Errno read(final Cpu cpu, final long addr, final int length) {
        final byte[] bytes = new byte[length];
        peek(bytes);
        final Errno errno = new UserBuffer(addr).copyOut(cpu, bytes, length);
        if (errno == Errno.OK) {
            skip(length);
        }
        return errno;
    }

    /** Takes bytes out; as many as there are, at most the array's length. */
    public int read(final byte[] target) {
        final int count = peek(target);
        skip(count);
        return count;
    }

    /**
     * vmsplice(2): references the pages of a range instead of copying them.
     *
     * @return OK, or EFAULT if not even the first page can be had
     */
    public Errno splice(final Task task, final Process process, final long addr, final int length) {
        final AddressSpace space = process.space();
        final long[] frame = new long[1];
        for (int done = 0; done < length; ) {
            final int offset = (int) (addr + done & space.pageSize() - 1);
            final int count = (int) Math.min(space.pageSize() - offset, length - done);
            space.mmapLock().readLock(task);
            final int got = PageGetter.getPages(task, space, addr + done - offset, 1, false, frame);
            space.mmapLock().readUnlock(task);
            if (got != 1) {
                return done > 0 ? Errno.OK : Errno.EFAULT;
            }
            parts.add(new Part(null, space.platform(), frame[0], offset, count));
            done += count;
        }
        return Errno.OK;
    }

    /** Closes the pipe: drops what nobody read. */
    public void close() {
        parts.forEach(Part::release);
        parts.clear();
    }

    private int peek(final byte[] target) {
        int done = 0;
        for (final Part part : parts) {
            final int count = Math.min(part.length, target.length - done);
            part.copyTo(target, done, count);
            done += count;
        }
        return done;
    }

    private void skip(final int length) {
        int left = length;
        while (left > 0 && !parts.isEmpty()) {
            final Part first = parts.poll();
            if (first.length > left) {
                parts.addFirst(first.behind(left));
                left = 0;
            } else {
                left -= first.length;
                first.release();
            }
        }
    }
}
