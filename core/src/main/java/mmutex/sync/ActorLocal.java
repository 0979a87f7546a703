package mmutex.sync;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * A scratch object that each {@link Actor} has one of, so that hot paths need not allocate: an array load to get it.
 *
 * <p>Meant for static final fields of the class whose scratch it is. Not re-entrant: a verb that may run inside itself
 * must not keep state here across the inner call.
 *
 * @param <T> type of the scratch object
 */
public final class ActorLocal<T> {
    private static final AtomicInteger NEXT = new AtomicInteger();

    private final int index = NEXT.getAndIncrement();
    private final Supplier<T> factory;

    /** Creates a slot; the factory runs once per actor, on first use. */
    public ActorLocal(final Supplier<T> factory) {
        this.factory = factory;
    }

    /** The actor's object. Only the actor's own thread may ask. */
    @SuppressWarnings("unchecked")
    public T of(final Actor actor) {
        final Object value = actor.local(index);
        return value != null ? (T) value : create(actor);
    }

    private T create(final Actor actor) {
        final T value = factory.get();
        actor.local(index, value);
        return value;
    }
}
