package mmutex.bench.torture.world;

import java.util.Arrays;
import mmutex.machine.Process;

/** A process as one hand sees it: the shared one, or one of the hand's own descendants of it. */
public final class Member {
    public static final long UNKNOWN = -1;

    public final Process process;
    public final Member parent;
    public final int lineage;
    /** Tags of ancestors made later than this can't be here. */
    public final long forkStamp;

    /** A few pages, and room for large folios. */
    public final Plot plot;

    public final Plot field;
    /** Of the hand's file. */
    public final Scroll.Copies copies;

    /** Of a descendant: its counters as it has seen or left them. */
    public final long[] counters = new long[Counters.count()];
    /** Of a descendant: bounds of what the fork can have copied. */
    public final long[] least = new long[Counters.count()];

    public final long[] most = new long[Counters.count()];
    public boolean reaped;

    private Member(
            final Process process,
            final Member parent,
            final int lineage,
            final long forkStamp,
            final Plot plot,
            final Plot field,
            final Scroll.Copies copies) {
        this.process = process;
        this.parent = parent;
        this.lineage = lineage;
        this.forkStamp = forkStamp;
        this.plot = plot;
        this.field = field;
        this.copies = copies;
        Arrays.fill(counters, UNKNOWN);
    }

    /** The shared process, as a hand of a number sees it. */
    public static Member root(final Process process, final int hand) {
        return new Member(
                process,
                null,
                Tags.ROOT_LINEAGE,
                Long.MAX_VALUE,
                new Plot(World.plot(hand), World.PLOT_PAGES),
                new Plot(World.field(hand), World.FIELD_PAGES),
                new Scroll.Copies());
    }

    public Member child(final Process child, final int childLineage, final long stamp) {
        return new Member(child, this, childLineage, stamp, plot.forChild(), field.forChild(), copies.forChild());
    }

    public boolean isRoot() {
        return parent == null;
    }

    /** A word of a common page must be 0, or a tag for that page by this process or by an ancestor before the fork. */
    public void checkCommon(final int page, final long word, final String who) {
        if (word == 0) {
            return;
        }
        Finding.require(
                Tags.isTag(word) && Tags.page(word) == page,
                "%s: common page %d holds 0x%x, which nobody wrote there",
                who,
                page,
                word);
        long limit = Long.MAX_VALUE;
        for (Member m = this; m != null; m = m.parent) {
            if (Tags.lineage(word) == m.lineage) {
                Finding.require(
                        Tags.stamp(word) <= limit,
                        "%s: common page %d of process %d holds 0x%x, written by process %d after the fork at stamp %d",
                        who,
                        page,
                        lineage,
                        word,
                        m.lineage,
                        limit);
                return;
            }
            limit = Math.min(limit, m.forkStamp);
        }
        throw new Finding(String.format(
                "%s: common page %d of process %d holds 0x%x, written by process %d, no ancestor",
                who, page, lineage, word, Tags.lineage(word)));
    }
}
