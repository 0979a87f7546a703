package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.device.DevicePageTable;
import mmutex.device.DevicePte;
import mmutex.layout.PteEncoding;
import mmutex.mm.AddressSpace;
import mmutex.mm.PageTable;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import mmutex.sync.AccessWindow;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/** {@code ORDER(device-pte-publish)}: a page is converted before the device may use it (O7). */
@JCStressTest
@Description("A driver converts the CPU's entry, then stores the device's; an engine looks there.")
@Outcome(id = "-1", expect = ACCEPTABLE, desc = "no device entry yet")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "the device entry, and the page is exclusive")
@Outcome(expect = FORBIDDEN, desc = "the engine may compute on a page that CPUs still map: ORDER(device-pte-publish)")
@State
public class DevicePteStress {
    private static final int PAGE_SHIFT = 12;
    private static final AddressSpace SPACE = new AddressSpace(1, World.PLATFORM);
    private static final PageTable TABLE = SPACE.pageTable();
    private static final PteEncoding ENCODING = SPACE.encoding();
    private static final DevicePageTable DEVICE = new DevicePageTable(World.PLATFORM, 1);
    private static final AccessWindow WINDOW = DEVICE.window(0);
    private static final long PRESENT = World.presentEntry(1);
    private static final long EXCLUSIVE = ENCODING.makeExclusive(PRESENT);

    private final int place = Slab.next();
    private final long slot = TABLE.slotOrCreate((long) place << PAGE_SHIFT);

    public DevicePteStress() {
        DEVICE.erase(World.task(), place, place + 1L);
        TABLE.getAndClear(slot);
        TABLE.store(slot, PRESENT);
    }

    @Actor
    public void driver() {
        TABLE.getAndClear(slot);
        TABLE.store(slot, EXCLUSIVE);
        DEVICE.store(place, DevicePte.VALID | DevicePte.WRITE | DevicePte.ATOMIC);
    }

    @Actor
    public void engine(final I_Result r) {
        WINDOW.open();
        if (DevicePte.has(DEVICE.load(place), DevicePte.ATOMIC)) {
            r.r1 = TABLE.load(slot) == EXCLUSIVE ? 1 : 0;
        } else {
            r.r1 = -1;
        }
        WINDOW.close();
    }
}
