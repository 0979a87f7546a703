package mmutex.mm;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** A counter that any thread may change; exact at quiescence. */
public final class Counter {
    private static final VarHandle VALUE;

    static {
        try {
            VALUE = MethodHandles.lookup().findVarHandle(Counter.class, "value", long.class);
        } catch (final ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    @SuppressWarnings("unused") // through VALUE
    private long value;

    public void add(final long delta) {
        VALUE.getAndAdd(this, delta);
    }

    public long value() {
        return (long) VALUE.getVolatile(this);
    }
}
