package mmutex.notify;

import java.util.ArrayList;
import java.util.List;
import mmutex.sync.Actor;

/** A driver's callback that takes part in the sequence protocol and remembers its calls. */
final class RecordingCallback implements IntervalCallback {
    /** One call. */
    record Call(NotifierEvent event, long start, long end, long owner, boolean blockable, long sequence) {}

    final List<Call> calls = new ArrayList<>();
    /** Filters: leaves the sequence alone. */
    boolean filters;
    /** Refuses non-blockable ranges. */
    boolean refuses;
    /** Run inside every call. */
    Runnable during = () -> {};

    @Override
    public boolean invalidate(final Actor actor, final RangeGuard hit, final NotifierRange range, final long sequence) {
        calls.add(new Call(range.event(), range.start(), range.end(), range.owner(), range.isBlockable(), sequence));
        during.run();
        if (refuses) {
            return false;
        }
        if (!filters) {
            hit.setSeq(sequence);
        }
        return true;
    }

    List<Long> sequences() {
        return calls.stream().map(Call::sequence).toList();
    }
}
