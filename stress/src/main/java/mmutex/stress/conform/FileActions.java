package mmutex.stress.conform;

import mmutex.machine.File;
import mmutex.machine.Process;
import mmutex.mm.Errno;

/** Memory that is not private anonymous, and the scenario's file. */
final class FileActions {
    /** Word of the file's first page; each next page's is one more. */
    private static final int FIRST_WORD = 700;

    private FileActions() {}

    static Outcome mmap(final World world, final Party party, final Step step) throws NotEmulated {
        final Process process = party.process();
        final long protection = MemoryActions.protection(step);
        switch (step.text("kind")) {
            case "anon_shared":
                return Outcome.of(process.mmapShared(party.cpu(), step.at(), step.length(), protection));
            case "tmpfs_file_private":
                return mmapFile(world, party, step, protection, false);
            case "tmpfs_file_shared":
                return mmapFile(world, party, step, protection, true);
            case "device_file_private":
                return Outcome.of(process.mmapDriver(party.cpu(), step.at(), step.length(), protection));
            case "hugetlb_private_2M":
                return Outcome.of(process.mmapHuge(party.cpu(), step.at(), step.length(), protection));
            default:
                throw new NotEmulated("mmap " + step.text("kind"));
        }
    }

    /** A fresh file of as many pages, mapped from its beginning. */
    private static Outcome mmapFile(
            final World world, final Party party, final Step step, final long protection, final boolean shared)
            throws NotEmulated {
        if (world.file() != null) {
            throw new NotEmulated("mmap of a second file");
        }
        if (Long.compareUnsigned(step.number("n"), World.FRAMES) > 0) {
            throw new NotEmulated("mmap of a file larger than memory");
        }
        final File file = world.newFile(party, step.number("n"), FIRST_WORD);
        return Outcome.of(party.process().mmapFile(party.cpu(), step.at(), step.length(), protection, file, 0, shared));
    }

    /** Of the file that the scenario has mapped; a file's end here is the end of a page. */
    static Outcome truncate(final World world, final Party party, final Step step) throws NotEmulated {
        if ((step.number("size") & (1 << Place.PAGE_SHIFT) - 1) != 0) {
            throw new NotEmulated("ftruncate within a page");
        }
        return world.file() == null
                ? Outcome.failed("EBADF")
                : Outcome.of(world.file().truncate(party.cpu(), step.number("size")));
    }

    static Outcome reserveHugePages(final World world, final Party party, final Step step) {
        final boolean reserved = world.machine().reserveHugePages(party.cpu(), (int) step.number("n"));
        return Outcome.of(reserved ? Errno.OK : Errno.ENOMEM);
    }
}
