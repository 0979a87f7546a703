package mmutex.bench.torture.world;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import mmutex.change.Advisor.Advice;
import mmutex.change.SamePageMerger;
import mmutex.device.MirrorDevice;
import mmutex.device.MirrorHandle;
import mmutex.layout.VmFlags;
import mmutex.machine.File;
import mmutex.machine.Machine;
import mmutex.machine.Process;
import mmutex.mm.Errno;
import mmutex.mm.SemanticProfile;
import mmutex.mm.SemanticProfile.ForkExclusive;
import mmutex.mm.SemanticProfile.MakeCheck;
import mmutex.mm.Task;

/** The machine under torture: one process that all share, its memory, and what is known about it. Any thread. */
public final class World {
    /** Where the counters are. */
    public static final long COUNTERS = 0x4000_0000L;

    /** Pages that all hands and devices write tags to and take away from each other. */
    public static final long COMMONS = 0x5000_0000L;

    public static final int COMMONS_PAGES = 8;

    /** A word that the shared process and all its descendants share. */
    public static final long SHARED = 0x7000_0000L;

    public static final int FILE_PAGES = 8;

    /** How many places {@link #detourAddr} knows. */
    public static final int DETOURS = COMMONS_PAGES + FILE_PAGES;

    /** Words of a page that several write to; the others stay 0. */
    public static final int WORDS = 8;

    public static final int PAGE = 4096;
    public static final int PLOT_PAGES = 12;
    public static final int FOLIO_PAGES = 512;
    public static final int FIELD_PAGES = 2 * FOLIO_PAGES;
    public static final long READ = VmFlags.READ;
    public static final long READ_WRITE = VmFlags.READ | VmFlags.WRITE;

    private static final int HUGE_PAGES = 3;
    private static final int SWAP_SLOTS = 2048;
    private static final long PLOTS = 0x6000_0000L;
    private static final long COMMON_FILE = 0x7300_0000L;
    private static final long SCROLLS = 0x7400_0000L;
    private static final long FIELDS = 0x1_0000_0000L;

    private final Machine machine;
    private final Process root;
    private final Counters counters = new Counters();
    private final Tags tags = new Tags();
    private final AtomicLong sharedAdditions = new AtomicLong();
    private final AtomicBoolean scanning = new AtomicBoolean();
    private final AtomicBoolean swapping = new AtomicBoolean();
    private final SamePageMerger merger;
    private final MirrorHandle wild;
    private final Nursery nursery;
    private final File commonFile;
    private final List<Scroll> scrolls = new ArrayList<>();
    private final MirrorDevice passing;
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
        this.merger = machine.newSamePageMerger();
        final Errno swap = machine.swapOn(SWAP_SLOTS);
        Finding.require(swap == Errno.OK, "swapon failed: %s", swap);
        Finding.require(machine.reserveHugePages(task, HUGE_PAGES), "no frames for huge pages");
        map(task, COUNTERS, Counters.SMALL_PAGES);
        map(task, Counters.FOLIO, FOLIO_PAGES);
        welcomeHugePages(task, Counters.FOLIO, FOLIO_PAGES);
        map(task, COMMONS, COMMONS_PAGES);
        map(task, PLOTS, hands * PLOT_PAGES);
        map(task, FIELDS, hands * FIELD_PAGES);
        welcomeHugePages(task, FIELDS, hands * FIELD_PAGES);
        final Errno shared = root.mmapShared(task, SHARED, PAGE, READ_WRITE);
        Finding.require(shared == Errno.OK, "mmap of shared memory failed: %s", shared);
        for (int i = 0; i < hands; i++) {
            scrolls.add(newScroll(task, i));
        }
        this.commonFile = machine.newFile(task, FILE_PAGES);
        mapFile(task, commonFile(0, true), FILE_PAGES, commonFile, true);
        mapFile(task, commonFile(0, false), FILE_PAGES, commonFile, false);
        map(task, Nursery.addr(0), Nursery.PAGES);
        this.nursery = new Nursery(task, root, tags);
        this.passing = machine.newMirrorDevice(hands + 1);
        this.wild = machine.newMirrorDevice(hands).open(task, root.space());
    }

    private Scroll newScroll(final Task task, final int hand) {
        final File file = machine.newFile(task, Scroll.PAGES);
        final Scroll scroll = new Scroll(file, SCROLLS + (long) hand * 4 * Scroll.PAGES * PAGE);
        mapFile(task, scroll.addr(0, true), Scroll.PAGES, file, true);
        mapFile(task, scroll.addr(0, false), Scroll.PAGES, file, false);
        return scroll;
    }

    private void mapFile(final Task task, final long addr, final int pages, final File file, final boolean shared) {
        final Errno errno = root.mmapFile(task, addr, (long) pages * PAGE, READ_WRITE, file, 0, shared);
        Finding.require(errno == Errno.OK, "mmap of a file failed: %s", errno);
    }

    /** Where a page of the file is that all map. */
    public static long commonFile(final int page, final boolean shared) {
        return COMMON_FILE + (shared ? page : 2 * FILE_PAGES + page) * (long) PAGE;
    }

    /** What tags of a page of that file say. */
    public static int fileTag(final int page) {
        return 128 + page;
    }

    public File commonFile() {
        return commonFile;
    }

    /** The pages whose faults a handler resolves. */
    public Nursery nursery() {
        return nursery;
    }

    /** Where a device that computes meets others, besides the counters: common pages, then those of the common file. */
    public static long detourAddr(final int detour) {
        return detour < COMMONS_PAGES ? commons(detour) : commonFile(detour - COMMONS_PAGES, true);
    }

    /** What tags say there. */
    public static int detourTag(final int detour) {
        return detour < COMMONS_PAGES ? detour : fileTag(detour - COMMONS_PAGES);
    }

    /** Whether a device may have it exclusively: not so a file's page. */
    public static boolean isExclusiveDetour(final int detour) {
        return detour < COMMONS_PAGES;
    }

    /** A hand's file. */
    public Scroll scroll(final int hand) {
        return scrolls.get(hand);
    }

    private void map(final Task task, final long addr, final int pages) {
        final Errno errno = root.mmap(task, addr, (long) pages * PAGE, READ_WRITE);
        Finding.require(errno == Errno.OK, "mmap of fresh memory failed: %s", errno);
    }

    private void welcomeHugePages(final Task task, final long addr, final int pages) {
        final Errno errno = root.madvise(task, addr, (long) pages * PAGE, Advice.HUGEPAGE);
        Finding.require(errno == Errno.OK, "MADV_HUGEPAGE of fresh memory: %s", errno);
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

    public SemanticProfile profile() {
        return machine.spec().profile();
    }

    /** Whether several devices may make the same pages exclusive; see {@link #mayHaveManyMakers(SemanticProfile)}. */
    public boolean mayHaveManyMakers() {
        return mayHaveManyMakers(profile());
    }

    /**
     * V3 does not look again whether what get_user_pages found is still so: a page that another device has converted and
     * mapped meanwhile is unmapped for CPUs, which is all that V3 asks for, and so both devices get it.
     */
    public static boolean mayHaveManyMakers(final SemanticProfile profile) {
        return profile.makeCheck() != MakeCheck.NONE;
    }

    /** Makes all counters writable, whatever they are now. */
    public Errno openCounters(final Task task) {
        final Errno small = root.mprotect(task, COUNTERS, (long) Counters.SMALL_PAGES * PAGE, READ_WRITE);
        return small == Errno.OK ? root.mprotect(task, Counters.FOLIO, (long) FOLIO_PAGES * PAGE, READ_WRITE) : small;
    }

    /**
     * A handle of the test device whose EXCLUSIVE requests race with zaps. It has no sequence check (Q6), so it may map freed
     * frames, and no referee looks at it.
     */
    public MirrorHandle wild() {
        return wild;
    }

    /** A device for processes that come and go. */
    public MirrorDevice passing() {
        return passing;
    }

    /** The shared word was added to. */
    public void sharedAdded() {
        sharedAdditions.incrementAndGet();
    }

    /** What the shared word must be when all have stopped. */
    public long sharedSum() {
        return sharedAdditions.get();
    }

    /** One scan, if nobody else is scanning: there is one ksmd. */
    public void mergeSamePages(final Task task) {
        if (scanning.compareAndSet(false, true)) {
            merger.scan(task, machine.spaces());
            scanning.set(false);
        }
    }

    /** swapoff and swapon, unless somebody else is about it. */
    public Errno renewSwap(final Task task) {
        if (!swapping.compareAndSet(false, true)) {
            return Errno.OK;
        }
        final Errno off = machine.swapOff(task);
        final Errno on = off == Errno.OK ? machine.swapOn(SWAP_SLOTS) : off;
        swapping.set(false);
        return on;
    }

    /** The first word of a page of a buffer. */
    public static long word(final byte[] data, final int page) {
        return ByteBuffer.wrap(data).order(ByteOrder.nativeOrder()).getLong(page * PAGE);
    }

    /** Whether a fork restores exclusive entries, instead of handing them down. */
    public static boolean keepsExclusiveEntriesApart(final SemanticProfile profile) {
        return profile.forkExclusive() == ForkExclusive.RESTORE_BY_TRYLOCK;
    }

    /** How far a counter may be ahead of what is known to have been added. */
    public int adders() {
        return adders;
    }

    public static long commons(final int page) {
        return COMMONS + (long) page * PAGE;
    }

    public static long plot(final int hand) {
        return PLOTS + (long) hand * PLOT_PAGES * PAGE;
    }

    /** Where a hand's large folios are. */
    public static long field(final int hand) {
        return FIELDS + (long) hand * FIELD_PAGES * PAGE;
    }

    /**
     * Ends the shared process: nothing runs any more.
     *
     * @param task has run on no CPU of the process
     */
    public void end(final Task task) {
        wild.close(task);
        nursery.close(task);
        commonFile.close(task);
        scrolls.forEach(scroll -> scroll.file().close(task));
        root.exit(task);
    }
}
