package mmutex.check;

import java.util.HashSet;
import java.util.Set;
import mmutex.change.Reaper;
import mmutex.machine.Emulation;
import mmutex.mm.Errno;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.seam.SchedulePoint;
import mmutex.seam.Scheduler;
import mmutex.seam.Step;
import mmutex.sync.Actor;
import mmutex.sync.DriverLock;

/** A program for a VM whose seam is on: prints what the instruments say of what it does. {@link SeamTest} reads it. */
final class WatchedMachine {
    private WatchedMachine() {}

    public static void main(final String[] args) {
        switch (args[0]) {
            case "polite":
                reapWithSubscriber(false);
                break;
            case "waits":
                reapWithSubscriber(true);
                break;
            default:
                access();
        }
    }

    /** A subscriber that takes its lock in a start that may not wait: by trying, or not. */
    private static void reapWithSubscriber(final boolean waits) {
        final Emulation emulation = new Emulation();
        final Watch watch = new Watch(emulation.platform);
        watch.install();
        emulation.mapWritten(0, 1);
        final DriverLock lock = new DriverLock(7);
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            @Override
            public boolean invalidateStart(final Actor actor, final NotifierRange range) {
                if (waits || range.isBlockable()) {
                    lock.lock(actor);
                } else if (!lock.tryLock(actor)) {
                    return false;
                }
                lock.unlock(actor);
                return true;
            }
        });
        final Errno reaped = Reaper.reap(emulation.machine.newTask("reaper"), emulation.space);
        watch.remove();
        final CheckReport report = new CheckReport();
        watch.addTo(report);
        System.out.println(reaped + " " + report.violations());
    }

    /** Looks from inside each access: where the CPU says it is; and once more when none is in progress. */
    private static void access() {
        final Emulation emulation = new Emulation();
        emulation.mapWritten(0, 2);
        final Set<Long> seen = new HashSet<>();
        SchedulePoint.install(new Scheduler() {
            @Override
            public void before(final Step step, final long subject) {
                if (step == Step.CPU_DATA) {
                    seen.add(emulation.platform.windows()[0].frame());
                }
            }

            @Override
            public void waiting(final long subject) {}
        });
        emulation.load(1);
        emulation.load(0);
        SchedulePoint.install(null);
        System.out.println(seen.equals(Set.of(emulation.frame(0), emulation.frame(1))) + " "
                + emulation.platform.windows()[0].frame());
    }
}
