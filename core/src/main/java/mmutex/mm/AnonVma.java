package mmutex.mm;

import java.util.ArrayList;
import java.util.List;
import mmutex.sync.FairRwLock;
import mmutex.sync.LockClass;

/**
 * The reverse-map object of anonymous memory: from a frame to the VMAs that may map it. Forked VMAs link to their
 * parent's objects and get one of their own, so pages shared copy-on-write are found in all processes, later ones only
 * in their own.
 *
 * <p>One lock, the root's, guards the whole family. Kernel counterpart: {@code struct anon_vma}, mm/rmap.c (6.12).
 */
public final class AnonVma {
    final long id;
    final AnonVma root;
    final AnonVma parent;
    // Under the root's lock:
    final List<Vma> vmas = new ArrayList<>();
    int activeVmas;
    int children;

    private final FairRwLock lock;

    AnonVma(final long id, final AnonVma parent) {
        this.id = id;
        this.parent = parent == null ? this : parent;
        this.root = parent == null ? this : parent.root;
        this.lock = parent == null ? new FairRwLock(LockClass.AV) : null;
        if (parent == null) {
            children = 1; // a root is its own child, and so is never taken for a spare one
        }
    }

    /** Id under which frames refer to it. */
    public long id() {
        return id;
    }

    /** The family's lock: read for walks, write to link, unlink or move VMAs. */
    public FairRwLock lock() {
        return root.lock;
    }

    /** The VMAs to visit, by the linear index of their first page; hold the lock. */
    public List<Vma> vmas() {
        return vmas;
    }

    /** Adds a VMA in its place, behind others that begin at the same index, as the kernel's interval tree does. */
    void insert(final Vma vma) {
        int at = vmas.size();
        while (at > 0 && vmas.get(at - 1).pageOffset() > vma.pageOffset()) {
            at--;
        }
        vmas.add(at, vma);
    }
}
