package mmutex.machine;

import java.util.concurrent.atomic.AtomicBoolean;
import mmutex.change.Truncator;
import mmutex.memory.FrameData;
import mmutex.mm.Errno;
import mmutex.mm.FileMapping;
import mmutex.mm.Platform;
import mmutex.mm.Task;

/**
 * An open file in memory (tmpfs, unlinked): mapped by {@link Process#mmapFile}, and read and written without a mapping.
 *
 * <p>Threads: any number of calls at once; none after {@link #close}.
 */
public final class File {
    private final FileMapping mapping;
    private final AtomicBoolean open = new AtomicBoolean(true);

    File(final FileMapping mapping) {
        this.mapping = mapping;
    }

    FileMapping mapping() {
        if (!open.get()) {
            throw new IllegalStateException("the file is closed: " + mapping);
        }
        return mapping;
    }

    /** Its size in bytes. */
    public long size() {
        return mapping().size() << mapping.platform().encoding().pageShift();
    }

    /**
     * ftruncate; see {@link Truncator#truncate}.
     *
     * @param size bytes, a multiple of the page size: nothing here is finer than a page
     * @return OK, or EINVAL for a size that the file can't have
     */
    public Errno truncate(final Task task, final long size) {
        final Platform platform = mapping().platform();
        if ((size & platform.pageSize() - 1) != 0) {
            throw new IllegalArgumentException("size must be a multiple of the page size: size=" + size);
        }
        return Truncator.truncate(task, mapping, size >> platform.encoding().pageShift());
    }

    /**
     * pwrite within the file's present size, page by page.
     *
     * @param offset first byte in the file
     * @return OK; EINVAL before the file's begin and behind its end, ENOMEM if a page can't be had: what lies before is written
     */
    public Errno write(final Task task, final long offset, final byte[] bytes) {
        final FileMapping file = mapping();
        file.inodeLock().writeLock(task);
        final Errno result = transfer(task, file, offset, bytes, true);
        file.inodeLock().writeUnlock(task);
        return result;
    }

    /** pread within the file's present size; results as of {@link #write}. */
    public Errno read(final Task task, final long offset, final byte[] bytes) {
        return transfer(task, mapping(), offset, bytes, false);
    }

    private static Errno transfer(
            final Task task, final FileMapping file, final long offset, final byte[] bytes, final boolean write) {
        if (offset < 0) {
            return Errno.EINVAL;
        }
        final Platform platform = file.platform();
        final int pageSize = (int) platform.pageSize();
        int done = 0;
        while (done < bytes.length) {
            final long at = offset + done;
            final int inPage = (int) (at & pageSize - 1);
            final int length = Math.min(bytes.length - done, pageSize - inPage);
            final long pfn = file.lockPage(task, at >> platform.encoding().pageShift());
            if (pfn < 0) {
                return pfn == FileMapping.NO_MEMORY ? Errno.ENOMEM : Errno.EINVAL;
            }
            final FrameData data = platform.data();
            if (write) {
                data.write(pfn, inPage, bytes, done, length);
                platform.frames().markDirty(pfn);
            } else {
                data.read(pfn, inPage, bytes, done, length);
            }
            file.unlockPage(task, pfn);
            done += length;
        }
        return Errno.OK;
    }

    /** Lets go of it; with the last mapping the pages go. */
    public void close(final Task task) {
        if (open.compareAndSet(true, false)) {
            mapping.release(task);
        }
    }
}
