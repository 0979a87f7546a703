package mmutex.check;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import mmutex.device.DevicePageTable;
import mmutex.device.MirrorHandle;
import mmutex.device.SvmDevice;
import mmutex.machine.Machine;
import mmutex.mm.AddressSpace;
import mmutex.mm.Task;
import mmutex.sync.DriverLock;

/**
 * Runs the referees over a machine.
 *
 * <p>Threads: one at a time. {@link #now} may run while others work; its task must not be a device's worker, and holds
 * nothing.
 */
public final class InvariantChecker {
    private final Machine machine;
    private final List<MirrorHandle> handles = new ArrayList<>();
    private final NotifierChecker notifierChecker = new NotifierChecker();
    private final List<NotifierWatch> notifierWatches = new ArrayList<>();
    private Watch watch;

    public InvariantChecker(final Machine machine) {
        this.machine = machine;
    }

    /** Includes a handle of the test device; strict only while no request of it races with others (Q6). */
    public InvariantChecker with(final MirrorHandle handle) {
        handles.add(handle);
        return this;
    }

    /** Includes what a watch sees while others work. */
    public InvariantChecker with(final Watch newWatch) {
        watch = newWatch;
        return this;
    }

    /** Includes what a watch sees of the notifications of an address space. */
    public InvariantChecker with(final NotifierWatch newWatch) {
        notifierWatches.add(newWatch);
        return this;
    }

    /** What can be said at any instant. */
    public CheckReport now(final Task task) {
        final CheckReport report = new CheckReport();
        checkNow(task, report);
        return report;
    }

    /** What can be said when no operation is in flight; includes {@link #now}. */
    public CheckReport atQuiescence(final Task task) {
        final CheckReport report = new CheckReport();
        checkNow(task, report);
        final List<AddressSpace> spaces = machine.spaces();
        notifierChecker.atQuiescence(task, spaces, report);
        EntryChecker.atQuiescence(task, machine.platform(), spaces, report);
        CountChecker.atQuiescence(task, machine.platform(), spaces, report);
        DeviceMemoryChecker.atQuiescence(machine.platform(), handles, devices(), report);
        LockChecker.atQuiescence(machine.platform(), spaces, devices(), report);
        return report;
    }

    private void checkNow(final Task task, final CheckReport report) {
        final List<AddressSpace> spaces = machine.spaces();
        final List<DeviceView> devices = devices();
        if (watch != null) {
            watch.referee(task);
        }
        // Checker order: every driver lock by id, then mmap lock, then leaf-table lock. Callbacks need a driver lock.
        // So no entry can become present again, and no device mapping can appear, while they are held.
        for (final DeviceView device : devices) {
            device.lock().lock(task);
        }
        DeviceChecker.now(task, machine.platform(), spaces, devices, report);
        for (int i = devices.size() - 1; i >= 0; i--) {
            devices.get(i).lock().unlock(task);
        }
        notifierChecker.now(task, spaces, report);
        EntryChecker.now(task, machine.platform(), spaces, report);
        if (watch != null) {
            watch.addTo(report);
        }
        notifierWatches.forEach(notifierWatch -> report.add(notifierWatch.report()));
    }

    private List<DeviceView> devices() {
        final List<DeviceView> views = new ArrayList<>();
        for (final SvmDevice device : machine.devices()) {
            views.add(new DeviceView(device.id(), device.space(), device.table(), device.lock()));
        }
        for (final MirrorHandle handle : handles) {
            views.add(new DeviceView(1000 + views.size(), handle.space(), handle.table(), handle.lock()));
        }
        views.sort(Comparator.comparingInt(DeviceView::id));
        return views;
    }

    /** What the referees need of a device. */
    record DeviceView(int id, AddressSpace space, DevicePageTable table, DriverLock lock) {}
}
