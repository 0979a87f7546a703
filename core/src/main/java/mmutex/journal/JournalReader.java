package mmutex.journal;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.function.Consumer;
import net.openhft.chronicle.bytes.MappedBytes;

/** Reads a journal file, also one whose writer died: incomplete records are skipped. One thread. */
public final class JournalReader implements AutoCloseable {
    private final MappedBytes bytes;
    private final long capacity;

    private JournalReader(final MappedBytes bytes, final long capacity) {
        this.bytes = bytes;
        this.capacity = capacity;
    }

    /**
     * One record.
     *
     * @param position 0 is the first
     * @param actor who
     * @param kind what, by the writer's numbering
     * @param subject of what
     * @param first a word
     * @param second another
     */
    public record JournalRecord(long position, int actor, int kind, long subject, long first, long second) {}

    /**
     * Opens a journal file.
     *
     * @throws IOException if it can't be read, or is not a journal
     */
    public static JournalReader open(final Path file) throws IOException {
        if (Files.size(file) < JournalDescriptor.HEADER_LENGTH) {
            throw new IOException("not a journal, too short: file=" + file);
        }
        final MappedBytes bytes = MappedBytes.singleMappedBytes(file.toFile(), Files.size(file), true);
        final long capacity = bytes.readLong(JournalDescriptor.CAPACITY_OFFSET);
        if (bytes.readVolatileLong(JournalDescriptor.MAGIC_OFFSET) != JournalDescriptor.MAGIC
                || bytes.readLong(JournalDescriptor.VERSION_OFFSET) != JournalDescriptor.VERSION
                || capacity <= 0
                || JournalDescriptor.recordOffset(capacity) > Files.size(file)) {
            bytes.releaseLast();
            throw new IOException("not a journal of version " + JournalDescriptor.VERSION + ": file=" + file);
        }
        return new JournalReader(bytes, capacity);
    }

    /** Visits the complete records in order; returns how many there were. */
    public long forEach(final Consumer<JournalRecord> visitor) {
        long complete = 0;
        for (long position = 0; position < capacity; position++) {
            final long at = JournalDescriptor.recordOffset(position);
            if (bytes.readVolatileLong(at + JournalDescriptor.COMMIT) == position + 1) {
                final long actorAndKind = bytes.readLong(at + JournalDescriptor.ACTOR_AND_KIND);
                visitor.accept(new JournalRecord(
                        position,
                        (int) (actorAndKind >>> 32),
                        (int) actorAndKind,
                        bytes.readLong(at + JournalDescriptor.SUBJECT),
                        bytes.readLong(at + JournalDescriptor.FIRST),
                        bytes.readLong(at + JournalDescriptor.SECOND)));
                complete++;
            }
        }
        return complete;
    }

    /** Records that the writer dropped because the file was full; known once it was closed. */
    public long dropped() {
        return Math.max(0, bytes.readLong(JournalDescriptor.TAIL_OFFSET) - capacity);
    }

    @Override
    public void close() {
        bytes.releaseLast();
    }
}
