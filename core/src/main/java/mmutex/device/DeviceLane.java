package mmutex.device;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import mmutex.memory.FrameData;
import mmutex.sync.AccessWindow;

/**
 * One thread of a device's program. Its accesses go through the device page table, inside the window of its engine. A
 * miss puts a fault on the queue and stalls the lane until the driver replays it or cancels it.
 *
 * <p>Threads: one engine executes it; the driver's thread ends its stalls.
 */
public final class DeviceLane {
    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(DeviceLane.class, "state", int.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static final int RUNNING = 0;
    private static final int STALLED = 1;
    private static final int ENDED = 2;
    /** And above, one for each reason. */
    private static final int CANCELLED = 3;

    private static final CancelReason[] REASONS = CancelReason.values();

    private final SvmDevice device;
    private final int id;
    private final AccessWindow window;
    private final DevicePageTable table;
    private final FrameData data;
    private final int pageShift;
    private final long offsetMask;
    private final DeviceFault fault = new DeviceFault(this);
    private LaneProgram program;
    private long value;
    private long operations;
    private long overflows;

    @SuppressWarnings("unused") // through STATE
    private int state = ENDED;

    DeviceLane(final SvmDevice device, final int id, final AccessWindow window) {
        this.device = device;
        this.id = id;
        this.window = window;
        this.table = device.table();
        this.data = device.platform().data();
        this.pageShift = device.platform().encoding().pageShift();
        this.offsetMask = device.platform().pageSize() - 1;
    }

    public int id() {
        return id;
    }

    /** The device it belongs to. */
    public SvmDevice device() {
        return device;
    }

    /** Starts a program; before the device's worker runs, or by its engine. */
    public void start(final LaneProgram newProgram) {
        this.program = newProgram;
        STATE.setRelease(this, RUNNING);
    }

    /** Executes one operation of the program if the lane can run. Returns whether it did. */
    boolean step() {
        if ((int) STATE.getAcquire(this) != RUNNING) { // ORDER(lane-replay) acquire: pairs with the release in replay
            return false;
        }
        if (!program.step(this) && (int) STATE.getOpaque(this) == RUNNING) {
            STATE.setRelease(this, ENDED);
        }
        return true;
    }

    /** Whether the program has ended or was cancelled. */
    public boolean isFinished() {
        final int now = (int) STATE.getAcquire(this);
        return now >= ENDED;
    }

    /** Whether a fault could not be resolved: the channel was killed. */
    public boolean isCancelled() {
        return (int) STATE.getAcquire(this) >= CANCELLED;
    }

    /** Why it was cancelled; null if it was not. */
    public CancelReason cancelReason() {
        final int now = (int) STATE.getAcquire(this);
        return now < CANCELLED ? null : REASONS[now - CANCELLED];
    }

    /** Faults that found the buffer full: dropped, and raised again. */
    public long overflows() {
        return overflows;
    }

    /** Old value of the last atomic, or the value of the last load, that was performed. */
    public long value() {
        return value;
    }

    /** Accesses performed. */
    public long operations() {
        return operations;
    }

    // ---- accesses -------------------------------------------------------------------------------------------

    /**
     * A 64-bit read-modify-write: load, compute, store, inside one window.
     *
     * @param access ATOMIC needs an exclusive mapping; WRITE makes do with a plain one, and may lose updates
     * @return true if it was performed; false if it missed: the lane is stalled and must try again after the replay
     */
    public boolean modifyLong(
            final long addr,
            final DeviceAccess access,
            final DeviceOperation operation,
            final long operand,
            final long comparand) {
        checkAlignment(addr, Long.BYTES);
        window.open();
        final long pte = table.load(addr >>> pageShift);
        final boolean hit = DevicePte.has(pte, access.needs());
        if (hit) {
            final long position = data.position(DevicePte.frameNumber(pte), (int) (addr & offsetMask));
            value = data.deviceLoadLong(position);
            data.deviceStoreLong(position, operation.apply(value, operand, comparand));
        }
        window.close();
        return completed(hit, addr, access);
    }

    /** As {@link #modifyLong} on 32 bits. */
    public boolean modifyInt(
            final long addr,
            final DeviceAccess access,
            final DeviceOperation operation,
            final int operand,
            final int comparand) {
        checkAlignment(addr, Integer.BYTES);
        window.open();
        final long pte = table.load(addr >>> pageShift);
        final boolean hit = DevicePte.has(pte, access.needs());
        if (hit) {
            final long position = data.position(DevicePte.frameNumber(pte), (int) (addr & offsetMask));
            final int old = data.deviceLoadInt(position);
            value = old;
            data.deviceStoreInt(position, (int) operation.apply(old, operand, comparand));
        }
        window.close();
        return completed(hit, addr, access);
    }

    /** A 64-bit load; the result is {@link #value}. */
    public boolean loadLong(final long addr) {
        checkAlignment(addr, Long.BYTES);
        window.open();
        final long pte = table.load(addr >>> pageShift);
        final boolean hit = DevicePte.has(pte, DeviceAccess.READ.needs());
        if (hit) {
            value = data.deviceLoadLong(data.position(DevicePte.frameNumber(pte), (int) (addr & offsetMask)));
        }
        window.close();
        return completed(hit, addr, DeviceAccess.READ);
    }

    /** A 64-bit store. */
    public boolean storeLong(final long addr, final long newValue) {
        checkAlignment(addr, Long.BYTES);
        window.open();
        final long pte = table.load(addr >>> pageShift);
        final boolean hit = DevicePte.has(pte, DeviceAccess.WRITE.needs());
        if (hit) {
            data.deviceStoreLong(data.position(DevicePte.frameNumber(pte), (int) (addr & offsetMask)), newValue);
        }
        window.close();
        return completed(hit, addr, DeviceAccess.WRITE);
    }

    /**
     * A hint that the page will be used soon. The lane stalls until the driver has looked at it, and need not try again.
     *
     * @return whether the page is mapped already
     */
    public boolean prefetch(final long addr) {
        window.open();
        final boolean hit = DevicePte.has(table.load(addr >>> pageShift), DeviceAccess.PREFETCH.needs());
        window.close();
        return completed(hit, addr, DeviceAccess.PREFETCH);
    }

    /** Before the window opens: a window that an exception left open would block every revocation. */
    private static void checkAlignment(final long addr, final int size) {
        if ((addr & size - 1) != 0) {
            throw new IllegalArgumentException(
                    "misaligned access: addr=0x" + Long.toHexString(addr) + ", size=" + size);
        }
    }

    private boolean completed(final boolean hit, final long addr, final DeviceAccess access) {
        if (hit) {
            operations++;
            return true;
        }
        fault.addr = addr;
        fault.access = access;
        STATE.setOpaque(this, STALLED);
        if (!device.faults().put(fault)) {
            overflows++;
            STATE.setOpaque(this, RUNNING); // nobody has it: the lane goes on, and misses again
        }
        return false;
    }

    // ---- the driver's side ----------------------------------------------------------------------------------

    void replay() {
        STATE.setRelease(this, RUNNING); // ORDER(lane-replay) release: the device table is programmed
    }

    void cancel(final CancelReason reason) {
        STATE.setRelease(this, CANCELLED + reason.ordinal());
    }
}
