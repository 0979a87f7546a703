package mmutex.mm;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import mmutex.sync.Actor;
import mmutex.sync.LockClass;
import mmutex.sync.SpinLock;

/**
 * Ids of the files, which is how off-heap frame records refer to them, as {@link AnonVmaTable} for anonymous memory. A
 * frame's file is asked for with the page locked and in the page cache, so it is there.
 */
final class FileTable {
    private final SpinLock lock = new SpinLock(LockClass.LF);
    private final Deque<Integer> spare = new ArrayDeque<>();
    private volatile FileMapping[] byId = new FileMapping[16];
    private int next = 1; // 0 means "no file" in a frame record

    FileMapping create(final Actor actor, final Platform platform, final FileMapping.Kind kind, final long sizePages) {
        lock.lock(actor);
        final Integer reused = spare.poll();
        final int id = reused != null ? reused : next++;
        lock.unlock(actor);
        final FileMapping created;
        try {
            created = new FileMapping(id, platform, kind, sizePages);
        } catch (final IllegalStateException noRoomForRootTable) {
            put(actor, id, null);
            throw noRoomForRootTable;
        }
        put(actor, id, created);
        return created;
    }

    FileMapping get(final long id) {
        final FileMapping[] table = byId;
        return id < table.length ? table[(int) id] : null;
    }

    List<FileMapping> all() {
        final List<FileMapping> files = new ArrayList<>();
        for (final FileMapping file : byId) {
            if (file != null) {
                files.add(file);
            }
        }
        return files;
    }

    void remove(final Actor actor, final FileMapping dead) {
        put(actor, (int) dead.id(), null);
    }

    private void put(final Actor actor, final int id, final FileMapping file) {
        lock.lock(actor);
        FileMapping[] table = byId;
        if (id >= table.length) {
            table = Arrays.copyOf(table, 2 * id);
        }
        table[id] = file;
        byId = table; // publishes the element as well
        if (file == null) {
            spare.add(id);
        }
        lock.unlock(actor);
    }
}
