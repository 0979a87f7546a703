package mmutex.bench.torture.op.plot;

import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.change.Advisor.Advice;
import mmutex.mm.Errno;

/** MADV_COLLAPSE where all advice and protection speaks for it: a large folio takes over what small pages held, or nothing. */
public final class CollapseField implements TortureOperation {
    @Override
    public int weight() {
        return 4;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runAny();
        final Plot field = member.field;
        final int[] folio = field.chooseFolio(hand.dice());
        if (member.reaped || field.hasHole(folio[0], folio[1])) {
            return;
        }
        final long addr = field.addr(folio[0]);
        final long length = (long) World.FOLIO_PAGES * World.PAGE;
        // One VMA of the whole range: whatever differed between its parts is made the same.
        for (final Advice advice : ALIKE) {
            final Errno errno = member.process.madvise(hand.cpu(), addr, length, advice);
            Finding.require(errno == Errno.OK, "madvise %s of a field: %s", advice, errno);
        }
        final Errno opened = member.process.mprotect(hand.cpu(), addr, length, World.READ_WRITE);
        Finding.require(opened == Errno.OK, "mprotect of a field: %s", opened);
        for (int number = folio[0]; number < folio[1]; number++) {
            field.page(number).inherited = true;
            field.page(number).wiped = false;
            field.page(number).mergeable = false;
            field.page(number).protection = World.READ_WRITE;
        }
        UsePlot.write(hand, member, field, folio[0] + hand.dice().nextInt(World.FOLIO_PAGES));
        final boolean before = hand.isHuge(member, addr);
        final Errno errno = member.process.madvise(hand.cpu(), addr, length, Advice.COLLAPSE);
        Finding.require(errno == Errno.OK || REFUSALS.contains(errno), "MADV_COLLAPSE of a field: %s", errno);
        if (errno == Errno.OK && !before) {
            hand.happened("large folio by MADV_COLLAPSE");
        }
        hand.checkPlotPage(member, field, field.choosePage(hand.dice()));
    }

    private static final List<Advice> ALIKE =
            List.of(Advice.DOFORK, Advice.KEEPONFORK, Advice.UNMERGEABLE, Advice.HUGEPAGE);

    /** Pages in use or exclusive again, no table or no writable page, no run of frames. */
    public static final Set<Errno> REFUSALS = EnumSet.of(Errno.EAGAIN, Errno.EINVAL, Errno.ENOMEM);
}
