package mmutex.check;

import java.util.List;
import java.util.Map;
import java.util.WeakHashMap;
import mmutex.mm.AddressSpace;
import mmutex.mm.Task;
import mmutex.notify.NotifierState.Snapshot;

/** The sequence protocol: I8 and I9 now, I11 at quiescence. Remembers the sequences it saw, since they never decrease. */
final class NotifierChecker {
    private final Map<AddressSpace, Long> lastSeq = new WeakHashMap<>();

    void now(final Task task, final List<AddressSpace> spaces, final CheckReport report) {
        report.looking("I8", "I9", "I11");
        for (final AddressSpace space : spaces) {
            final Snapshot s = space.notifiers().snapshot(task);
            final boolean odd = (s.seq() & 1) != 0;
            if (odd && s.activeSpans() == 0) {
                report.violated("I8", space + ": seq " + s.seq() + " is odd, but no span is active");
            }
            if (s.activeSpans() < 0) {
                report.violated("I11", space + ": active spans " + s.activeSpans());
            }
            for (final long seq : s.subscriptionSeqs()) {
                if ((seq & 1) == 0 || seq > s.seq() || seq == s.seq() && !odd) {
                    report.violated("I9", space + ": subscription seq " + seq + ", seq " + s.seq());
                }
            }
            final Long before = lastSeq.put(space, s.seq());
            if (before != null && before > s.seq()) {
                report.violated("I9", space + ": seq went from " + before + " to " + s.seq());
            }
        }
    }

    void atQuiescence(final Task task, final List<AddressSpace> spaces, final CheckReport report) {
        report.looking("I11");
        for (final AddressSpace space : spaces) {
            final Snapshot s = space.notifiers().snapshot(task);
            if (s.activeSpans() != 0 || s.hasDeferred()) {
                report.violated(
                        "I11", space + ": active spans " + s.activeSpans() + ", deferred work " + s.hasDeferred());
            }
        }
    }
}
