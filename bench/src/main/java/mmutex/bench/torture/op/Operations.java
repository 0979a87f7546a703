package mmutex.bench.torture.op;

import java.util.List;
import mmutex.bench.torture.op.common.AddInChild;
import mmutex.bench.torture.op.common.AddToCounter;
import mmutex.bench.torture.op.common.AddToShared;
import mmutex.bench.torture.op.common.CollapseCounters;
import mmutex.bench.torture.op.common.DiscardCommons;
import mmutex.bench.torture.op.common.EmptyNursery;
import mmutex.bench.torture.op.common.MigrateCommons;
import mmutex.bench.torture.op.common.MirrorCommons;
import mmutex.bench.torture.op.common.MirrorCounters;
import mmutex.bench.torture.op.common.PinCounters;
import mmutex.bench.torture.op.common.ProtectCommons;
import mmutex.bench.torture.op.common.ProtectCounters;
import mmutex.bench.torture.op.common.ReadCounter;
import mmutex.bench.torture.op.common.UnmapCommons;
import mmutex.bench.torture.op.common.UseCommons;
import mmutex.bench.torture.op.common.UseNursery;
import mmutex.bench.torture.op.common.WaitOnCounter;
import mmutex.bench.torture.op.common.WildExclusive;
import mmutex.bench.torture.op.file.AdviseScroll;
import mmutex.bench.torture.op.file.MirrorScroll;
import mmutex.bench.torture.op.file.RemapScroll;
import mmutex.bench.torture.op.file.TruncateCommonFile;
import mmutex.bench.torture.op.file.TruncateScroll;
import mmutex.bench.torture.op.file.UseCommonFile;
import mmutex.bench.torture.op.file.UseScroll;
import mmutex.bench.torture.op.plot.AdvisePlot;
import mmutex.bench.torture.op.plot.CollapseField;
import mmutex.bench.torture.op.plot.GuardPlot;
import mmutex.bench.torture.op.plot.InspectPlot;
import mmutex.bench.torture.op.plot.LockPlot;
import mmutex.bench.torture.op.plot.MigratePlot;
import mmutex.bench.torture.op.plot.MirrorIntoPlot;
import mmutex.bench.torture.op.plot.MirrorPlot;
import mmutex.bench.torture.op.plot.MovePlot;
import mmutex.bench.torture.op.plot.PassHandle;
import mmutex.bench.torture.op.plot.PipePlot;
import mmutex.bench.torture.op.plot.ProtectPlot;
import mmutex.bench.torture.op.plot.RemapPlot;
import mmutex.bench.torture.op.plot.RemotePlot;
import mmutex.bench.torture.op.plot.RenewField;
import mmutex.bench.torture.op.plot.UsePlot;
import mmutex.bench.torture.op.system.ClearSoftDirty;
import mmutex.bench.torture.op.system.Compact;
import mmutex.bench.torture.op.system.Fork;
import mmutex.bench.torture.op.system.MergeSamePages;
import mmutex.bench.torture.op.system.Reap;
import mmutex.bench.torture.op.system.Reclaim;
import mmutex.bench.torture.op.system.ShortLife;
import mmutex.bench.torture.op.system.StrangeMemory;
import mmutex.bench.torture.op.system.SwapOff;
import mmutex.bench.torture.world.TortureOperation;
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
