package mmutex.journal;

/**
 * Layout of a journal file, in native byte order.
 *
 * <pre>
 *   header   +0 magic   +8 version   +16 records that fit   +24 records asked for   up to +64
 *   record   +0 commit  +8 actor(32) | kind(32)   +16 subject   +24 first   +32 second   up to +64
 *
 *   commit == position + 1 : the record is complete
 * </pre>
 */
final class JournalDescriptor {
    static final long MAGIC = 0x6d6d_7574_6578_4a31L; // "mmutexJ1"
    static final long VERSION = 1;
    static final int HEADER_LENGTH = 64;
    static final int MAGIC_OFFSET = 0;
    static final int VERSION_OFFSET = 8;
    static final int CAPACITY_OFFSET = 16;
    static final int TAIL_OFFSET = 24;
    static final int RECORD_LENGTH = 64;
    static final int COMMIT = 0;
    static final int ACTOR_AND_KIND = 8;
    static final int SUBJECT = 16;
    static final int FIRST = 24;
    static final int SECOND = 32;

    private JournalDescriptor() {}

    static long recordOffset(final long position) {
        return HEADER_LENGTH + position * RECORD_LENGTH;
    }
}
