package mmutex.bench.torture.op.common;

import mmutex.bench.torture.op.plot.CollapseField;
import mmutex.bench.torture.world.Counters;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** MADV_COLLAPSE of counters while all add to them, devices as well: pages that somebody else has stay as they are. */
public final class CollapseCounters implements TortureOperation {
    @Override
    public int weight() {
        return 1;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        if (member.reaped) {
            return;
        }
        final long length = (long) World.FOLIO_PAGES * World.PAGE;
        if (member.isRoot()) { // a page must be writable
            AddToCounter.add(hand, Counters.SMALL_PAGES * Counters.PER_PAGE, 1);
        }
        final boolean before = hand.isHuge(member, Counters.FOLIO);
        final Errno errno = member.process.madvise(hand.cpu(), Counters.FOLIO, length, Advice.COLLAPSE);
        Finding.require(
                errno == Errno.OK || CollapseField.REFUSALS.contains(errno), "MADV_COLLAPSE of counters: %s", errno);
        if (errno == Errno.OK && !before) {
            hand.happened("large folio of counters");
        }
    }
}
