package mmutex.stress.litmus.support;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.SvmDevice;
import mmutex.memory.FrameTable;
import mmutex.memory.TableArena;
import mmutex.sync.Actor;

/**
 * Protocol steps of core that are none of its users' business, but that a litmus test must call as they are instead of
 * testing a copy. Reached by constant method handles, so the JIT inlines them as it does in core.
 */
public final class CoreSteps {
    private static final MethodHandle ANNOUNCE_SLEEP =
            method(Actor.class, "announceSleep", MethodType.methodType(void.class));
    private static final MethodHandle IS_ASLEEP = method(Actor.class, "isAsleep", MethodType.methodType(boolean.class));
    private static final MethodHandle AWAKE = method(Actor.class, "awake", MethodType.methodType(void.class));
    private static final MethodHandle PREPARE =
            method(FrameTable.class, "prepare", MethodType.methodType(void.class, long.class));
    private static final MethodHandle FREE_TABLE =
            method(TableArena.class, "free", MethodType.methodType(void.class, long.class));
    private static final MethodHandle STEP = method(DeviceLane.class, "step", MethodType.methodType(boolean.class));
    private static final MethodHandle REPLAY = method(DeviceLane.class, "replay", MethodType.methodType(void.class));
    private static final Class<?> FAULT = hidden("DeviceFault");
    private static final Class<?> FAULT_QUEUE = hidden("FaultQueue");
    private static final MethodHandle FAULTS = method(SvmDevice.class, "faults", MethodType.methodType(FAULT_QUEUE));
    private static final MethodHandle POLL = MethodHandles.filterReturnValue(
                    FAULTS, method(FAULT_QUEUE, "poll", MethodType.methodType(FAULT)))
            .asType(MethodType.methodType(Object.class, SvmDevice.class));
    private static final MethodHandle FAULT_ADDRESS = field(FAULT, "addr", long.class);
    private static final MethodHandle FAULT_ACCESS = field(FAULT, "access", DeviceAccess.class);

    private CoreSteps() {}

    /** Actor.announceSleep: the step before the last look at the condition. */
    public static void announceSleep(final Actor actor) {
        try {
            ANNOUNCE_SLEEP.invokeExact(actor);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** Actor.isAsleep: what a waker looks at after its fence. */
    public static boolean isAsleep(final Actor actor) {
        try {
            return (boolean) IS_ASLEEP.invokeExact(actor);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** Actor.awake. */
    public static void awake(final Actor actor) {
        try {
            AWAKE.invokeExact(actor);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** FrameTable.prepare: a free frame becomes somebody's. */
    public static void prepare(final FrameTable frames, final long pfn) {
        try {
            PREPARE.invokeExact(frames, pfn);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** TableArena.free. */
    public static void freeTable(final TableArena arena, final long table) {
        try {
            FREE_TABLE.invokeExact(arena, table);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** DeviceLane.step: one operation, if the lane can run. */
    public static boolean step(final DeviceLane lane) {
        try {
            return (boolean) STEP.invokeExact(lane);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** DeviceLane.replay: the driver has resolved the lane's fault. */
    public static void replay(final DeviceLane lane) {
        try {
            REPLAY.invokeExact(lane);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** FaultQueue.poll: the next fault of a device's lanes, or null. */
    public static Object pollFault(final SvmDevice device) {
        try {
            return (Object) POLL.invokeExact(device);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** Address of a fault. */
    public static long faultAddress(final Object fault) {
        try {
            return (long) FAULT_ADDRESS.invokeExact(fault);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    /** Access of a fault. */
    public static DeviceAccess faultAccess(final Object fault) {
        try {
            return (DeviceAccess) FAULT_ACCESS.invokeExact(fault);
        } catch (final Throwable e) {
            throw broken(e);
        }
    }

    private static MethodHandle method(final Class<?> owner, final String name, final MethodType type) {
        try {
            return MethodHandles.privateLookupIn(owner, MethodHandles.lookup()).findVirtual(owner, name, type);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static MethodHandle field(final Class<?> owner, final String name, final Class<?> type) {
        try {
            return MethodHandles.privateLookupIn(owner, MethodHandles.lookup())
                    .findGetter(owner, name, type)
                    .asType(MethodType.methodType(type, Object.class));
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static Class<?> hidden(final String simpleName) {
        try {
            return Class.forName(SvmDevice.class.getPackageName() + "." + simpleName);
        } catch (final ClassNotFoundException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private static RuntimeException broken(final Throwable e) {
        if (e instanceof RuntimeException) {
            return (RuntimeException) e;
        }
        throw new IllegalStateException(e);
    }
}
