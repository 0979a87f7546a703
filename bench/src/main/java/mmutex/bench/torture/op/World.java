package mmutex.bench.torture.op;

import mmutex.device.MirrorHandle;
import mmutex.layout.VmFlags;
import mmutex.machine.Machine;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.MakeCheck;
import mmutex.mm.Task;

/** The machine under torture: one process that all share, its memory, and what is known about it. Any thread. */
public final class World {
    /** Where the counters are. */
    public static final long COUNTERS = 0x4000_0000L;

    /** Pages that all hands and devices write tags to and take away from each other. */
    public static final long COMMONS = 0x5000_0000L;

    /** How many. */
    public static final int COMMONS_PAGES = 8;

    static final int PAGE = 4096;
    static final int PLOT_PAGES = 12;
    static final long READ = VmFlags.READ;
    static final long READ_WRITE = VmFlags.READ | VmFlags.WRITE;

    private static final long PLOTS = 0x6000_0000L;

    private final Machine machine;
    private final Process root;
    private final Counters counters = new Counters();
    private final Tags tags = new Tags();
    private final MirrorHandle wild;
    private final int adders;

    /**
     * Maps the shared memory and the hands' plots.
     *
     * @param hands how many will have a plot
     * @param adders who may be in the middle of adding to a counter at any moment
     */
    public World(final Machine machine, final Task task, final int hands, final int adders) {
        this.machine = machine;
        this.adders = adders;
        this.root = machine.newProcess();
        map(task, COUNTERS, Counters.PAGES);
        map(task, COMMONS, COMMONS_PAGES);
        map(task, PLOTS, hands * PLOT_PAGES);
        this.wild = machine.newMirrorDevice(hands).open(task, root.space());
    }

    private void map(final Task task, final long addr, final int pages) {
        final Errno errno = root.mmap(task, addr, (long) pages * PAGE, READ_WRITE);
        Finding.require(errno == Errno.OK, "mmap of fresh memory failed: %s", errno);
    }

    public Machine machine() {
        return machine;
    }

    /** The process that all share. */
    public Process root() {
        return root;
    }

    public Counters counters() {
        return counters;
    }

    public Tags tags() {
        return tags;
    }

    SemanticProfile profile() {
        return machine.spec().profile();
    }

    /** Whether several devices may make the same pages exclusive; see {@link #mayHaveManyMakers(SemanticProfile)}. */
    boolean mayHaveManyMakers() {
        return mayHaveManyMakers(profile());
    }

    /**
     * V3 does not look again whether what get_user_pages found is still so: a page that another device has converted and
     * mapped meanwhile is unmapped for CPUs, which is all that V3 asks for, and so both devices get it.
     */
    public static boolean mayHaveManyMakers(final SemanticProfile profile) {
        return profile.makeCheck() != MakeCheck.NONE;
    }

    /**
     * A handle of the test device whose EXCLUSIVE requests race with zaps. It has no sequence check (Q6), so it may map freed
     * frames, and no referee looks at it.
     */
    MirrorHandle wild() {
        return wild;
    }

    /** How far a counter may be ahead of what is known to have been added. */
    int adders() {
        return adders;
    }

    static long commons(final int page) {
        return COMMONS + (long) page * PAGE;
    }

    static long plot(final int hand) {
        return PLOTS + (long) hand * PLOT_PAGES * PAGE;
    }

    /**
     * Ends the shared process: nothing runs any more.
     *
     * @param task has run on no CPU of the process
     */
    public void end(final Task task) {
        wild.close(task);
        root.exit(task);
    }
}
