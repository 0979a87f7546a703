package mmutex.bench.torture.op;

import java.util.List;
import mmutex.mm.SemanticProfile;

/** The registry: a new operation is a class and a line here. */
public final class Operations {
    private static final List<TortureOperation> ALL = List.of(
            // CPUs
            new AddToCounter(),
            new ReadCounter(),
            new AddInChild(),
            new UseCommons(),
            new UsePlot(),
            new AddToShared(),
            // system calls
            new ProtectCounters(),
            new ProtectCommons(),
            new ProtectPlot(),
            new DiscardCommons(),
            new UnmapCommons(),
            new RemapPlot(),
            new AdvisePlot(),
            new MovePlot(),
            new LockPlot(),
            new ClearSoftDirty(),
            new RemotePlot(),
            new GuardPlot(),
            new PinCounters(),
            new Reclaim(),
            new Compact(),
            new MergeSamePages(),
            new PipePlot(),
            new InspectPlot(),
            new WaitOnCounter(),
            new SwapOff(),
            new UseScroll(),
            new TruncateScroll(),
            new AdviseScroll(),
            new RemapScroll(),
            new UseCommonFile(),
            new TruncateCommonFile(),
            new UseNursery(),
            new EmptyNursery(),
            new RenewField(),
            new CollapseField(),
            new CollapseCounters(),
            new Fork(),
            new Reap(),
            new ShortLife(),
            // the test device
            new MirrorCounters(),
            new MirrorCommons(),
            new MirrorPlot(),
            new MirrorScroll(),
            new MigratePlot(),
            new MirrorIntoPlot(),
            new MigrateCommons(),
            new PassHandle(),
            new StrangeMemory(),
            new WildExclusive());

    private Operations() {}

    /** Those whose oracles hold on a kernel of the profile. */
    public static List<TortureOperation> of(final SemanticProfile profile) {
        return ALL.stream().filter(operation -> operation.isPossible(profile)).toList();
    }
}
