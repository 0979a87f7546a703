package mmutex.journal;

import mmutex.notify.NotifierEvent;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.sync.Actor;

/**
 * Records every span of an address space: kind is {@code 2 * event.ordinal()} at its start and one more at its end, subject
 * the address space, the words the range. Threads: any.
 */
public final class NotificationJournal implements NotifierSubscriber {
    private final Journal journal;
    private final long space;

    /** A subscriber that writes to a journal; {@code space} tells address spaces apart in it. */
    public NotificationJournal(final Journal journal, final long space) {
        this.journal = journal;
        this.space = space;
    }

    /** The event of a record's kind. */
    public static NotifierEvent event(final int kind) {
        return NotifierEvent.values()[kind >> 1];
    }

    /** Whether a record's kind is a start. */
    public static boolean isStart(final int kind) {
        return (kind & 1) == 0;
    }

    @Override
    public boolean invalidateStart(final Actor actor, final NotifierRange range) {
        journal.append(actor.id(), 2 * range.event().ordinal(), space, range.start(), range.end());
        return true;
    }

    @Override
    public void invalidateEnd(final Actor actor, final NotifierRange range) {
        journal.append(actor.id(), 2 * range.event().ordinal() + 1, space, range.start(), range.end());
    }
}
