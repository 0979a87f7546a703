package mmutex.bench.torture.op.plot;

import mmutex.bench.torture.world.Finding;
import mmutex.bench.torture.world.Hand;
import mmutex.bench.torture.world.Member;
import mmutex.bench.torture.world.Plot;
import mmutex.bench.torture.world.TortureOperation;
import mmutex.bench.torture.world.World;
import mmutex.device.DeviceBuffer;
import mmutex.device.MirrorHandle.Result;
import mmutex.machine.UserFaultFd;
import mmutex.mm.Errno;

/** A page of the hand's own is write-protected by userfaultfd for a moment: nobody's to convert, still to be read. */
public final class GuardPlot implements TortureOperation {
    @Override
    public int weight() {
        return 3;
    }

    @Override
    public void perform(final Hand hand) {
        final Member member = hand.runRoot();
        final Plot plot = hand.choosePlot(member);
        final int number = plot.choosePage(hand.dice());
        final Plot.Page page = plot.page(number);
        if (!page.isWritable() || !hand.mayMakeExclusive(plot)) {
            return;
        }
        hand.checkPlotPage(member, plot, number); // there, be it as the zero page
        // Nothing is not protected: what takes the place of a page that was dropped is the device's to have, and once
        // it has been looked at, it is not known as lazily freed any more. And when same-page merging replaces a page,
        // the mark is lost (replace_page, mm/ksm.c, up to now).
        final boolean mayLoseMark = page.mayBeDropped() || page.mergeable;
        final long addr = plot.addr(number);
        final UserFaultFd guard = new UserFaultFd(member.process);
        require(guard.register(hand.cpu(), addr, World.PAGE, false, true), "register");
        require(guard.writeProtect(hand.cpu(), addr, World.PAGE, true), "write-protect");
        hand.checkPlotPage(member, plot, number);
        final Result result =
                hand.maker(plot).exclusive(hand.cpu(), addr, 1, DeviceBuffer.ofArray(new byte[World.PAGE]));
        final boolean refused = result.errno() == Errno.EBUSY || result.errno() == Errno.EFAULT;
        Finding.require(
                refused || result.errno() == Errno.OK && mayLoseMark,
                "exclusive on a page that userfaultfd protects, and that holds %s: %s",
                page.expected(),
                result.errno());
        require(guard.writeProtect(hand.cpu(), addr, World.PAGE, false), "end of write protection");
        require(guard.unregister(hand.cpu(), addr, World.PAGE), "unregister");
        guard.close(hand.cpu());
        UsePlot.write(hand, member, plot, number);
    }

    private static void require(final Errno errno, final String what) {
        Finding.require(errno == Errno.OK, "userfaultfd %s: %s", what, errno);
    }
}
