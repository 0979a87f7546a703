package mmutex.journal;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicLong;
import net.openhft.chronicle.bytes.MappedBytes;

/**
 * The writer of a journal file. When the file is full further records are counted and dropped.
 *
 * <p>Threads: {@link #append} from any thread, wait-free and without allocation; create and close once.
 */
public final class Journal implements AutoCloseable {
    private final MappedBytes bytes;
    private final long capacity;
    private final AtomicLong tail = new AtomicLong();

    private Journal(final MappedBytes bytes, final long capacity) {
        this.bytes = bytes;
        this.capacity = capacity;
    }

    /**
     * Creates a journal file, replacing one that is there.
     *
     * @param capacity records that fit
     * @throws IOException if the file can't be created
     */
    public static Journal create(final Path file, final long capacity) throws IOException {
        if (capacity <= 0) {
            throw new IllegalArgumentException("a journal holds at least one record: capacity=" + capacity);
        }
        Files.deleteIfExists(file);
        try {
            final MappedBytes bytes =
                    MappedBytes.singleMappedBytes(file.toFile(), JournalDescriptor.recordOffset(capacity));
            bytes.singleThreadedCheckDisabled(true);
            bytes.writeLong(JournalDescriptor.VERSION_OFFSET, JournalDescriptor.VERSION);
            bytes.writeLong(JournalDescriptor.CAPACITY_OFFSET, capacity);
            bytes.writeOrderedLong(JournalDescriptor.MAGIC_OFFSET, JournalDescriptor.MAGIC);
            return new Journal(bytes, capacity);
        } catch (final FileNotFoundException e) {
            throw new IOException("journal can't be created: file=" + file, e);
        }
    }

    /**
     * Appends a record.
     *
     * @param actor who
     * @param kind what, by the writer's own numbering
     * @param subject of what
     * @param first a word
     * @param second another
     * @return false if it was dropped
     */
    public boolean append(final int actor, final int kind, final long subject, final long first, final long second) {
        final long position = tail.getAndIncrement();
        if (position >= capacity) {
            return false;
        }
        final long at = JournalDescriptor.recordOffset(position);
        bytes.writeLong(at + JournalDescriptor.ACTOR_AND_KIND, (long) actor << 32 | kind);
        bytes.writeLong(at + JournalDescriptor.SUBJECT, subject);
        bytes.writeLong(at + JournalDescriptor.FIRST, first);
        bytes.writeLong(at + JournalDescriptor.SECOND, second);
        // The record is complete before its commit word says so; the reader skips what is not committed.
        bytes.writeOrderedLong(at + JournalDescriptor.COMMIT, position + 1);
        return true;
    }

    /** Records appended, dropped ones not counted. */
    public long size() {
        return Math.min(tail.get(), capacity);
    }

    /** Records that did not fit. */
    public long dropped() {
        return Math.max(0, tail.get() - capacity);
    }

    /** Notes how many records were asked for and unmaps the file. Nobody appends any more. */
    @Override
    public void close() {
        bytes.writeOrderedLong(JournalDescriptor.TAIL_OFFSET, tail.get());
        try {
            bytes.releaseLast();
        } catch (final IllegalStateException e) {
            throw new UncheckedIOException(new IOException("journal can't be closed", e));
        }
    }
}
