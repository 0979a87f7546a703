package mmutex.mm;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;

/**
 * Ids of the {@link AnonVma} objects, which is how off-heap frame records refer to them. Ids of dead objects are used
 * again, so whoever looks one up from a frame must check the frame again under the object's lock.
 */
final class AnonVmaTable {
    private final SpinLock lock = new SpinLock(LockClass.LF);
    private final Deque<Integer> spare = new ArrayDeque<>();
    private volatile AnonVma[] byId = new AnonVma[64];
    private int next = 1; // 0 means "no anon_vma" in a frame record

    AnonVma create(final Actor actor, final AnonVma parent) {
        lock.lock(actor);
        final Integer reused = spare.poll();
        final int id = reused != null ? reused : next++;
        AnonVma[] table = byId;
        if (id == table.length) {
            table = Arrays.copyOf(table, 2 * id);
        }
        final AnonVma created = new AnonVma(id, parent);
        table[id] = created;
        byId = table; // publishes the element as well
        lock.unlock(actor);
        return created;
    }

    AnonVma get(final long id) {
        final AnonVma[] table = byId;
        return id < table.length ? table[(int) id] : null;
    }

    void remove(final Actor actor, final AnonVma dead) {
        lock.lock(actor);
        final AnonVma[] table = byId;
        table[(int) dead.id] = null;
        byId = table;
        spare.add((int) dead.id);
        lock.unlock(actor);
    }
}
