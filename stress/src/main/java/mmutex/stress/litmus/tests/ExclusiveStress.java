package mmutex.stress.litmus.tests;

import static org.openjdk.jcstress.annotations.Expect.ACCEPTABLE;
import static org.openjdk.jcstress.annotations.Expect.FORBIDDEN;

import mmutex.change.Advisor.Advice;
import mmutex.device.DeviceAccess;
import mmutex.device.DevicePte;
import mmutex.device.SvmDevice;
import mmutex.layout.VmFlags;
import mmutex.machine.Cpu;
import mmutex.machine.Machine;
import mmutex.machine.MachineSpec;
import mmutex.machine.Process;
import mmutex.mm.PageTable;
import mmutex.notify.Delivery;
import mmutex.stress.litmus.support.Slab;
import mmutex.stress.litmus.support.World;
import org.openjdk.jcstress.annotations.Actor;
import org.openjdk.jcstress.annotations.Arbiter;
import org.openjdk.jcstress.annotations.Description;
import org.openjdk.jcstress.annotations.JCStressTest;
import org.openjdk.jcstress.annotations.Outcome;
import org.openjdk.jcstress.annotations.State;
import org.openjdk.jcstress.infra.results.I_Result;

/**
 * All orders together, on the emulator as it is: a driver makes a page exclusive while a CPU's atomic takes it back. Never
 * do both have it.
 */
@JCStressTest
@Description("The driver resolves an atomic fault while a CPU performs an atomic on the page.")
@Outcome(id = "1", expect = ACCEPTABLE, desc = "the device has the page: its entry is atomic, the CPU's exclusive")
@Outcome(id = "2", expect = ACCEPTABLE, desc = "the CPU has the page: its entry is present, the device has none")
@Outcome(
        expect = FORBIDDEN,
        desc = "both have it, or none: ORDER(page-lock), ORDER(pte-lock), ORDER(driver-lock), ORDER(window-flush)")
@State
public class ExclusiveStress {
    private static final long PAGE_SIZE = 0x1000;
    private static final Machine MACHINE =
            new Machine(MachineSpec.defaults().withCpus(1).withDelivery(Delivery.INLINE));
    private static final Cpu CPU = MACHINE.cpu(0);
    private static final Process PROCESS = MACHINE.newProcess();
    private static final SvmDevice DEVICE;
    private static final PageTable TABLE = PROCESS.space().pageTable();

    static {
        CPU.run(PROCESS);
        PROCESS.mmap(CPU, PAGE_SIZE, Slab.PLACES * PAGE_SIZE, VmFlags.READ | VmFlags.WRITE);
        DEVICE = MACHINE.newDevice(CPU, PROCESS, 1, System::nanoTime);
    }

    private final long addr = (Slab.next() + 1L) * PAGE_SIZE;

    @Actor
    public void driver() {
        DEVICE.driver().resolve(DEVICE.worker(), addr, DeviceAccess.ATOMIC);
    }

    @Actor
    public void cpu() {
        CPU.fetchAddLong(addr, 1);
    }

    @Arbiter
    public void whoHasIt(final I_Result r) {
        final long cpu = TABLE.load(TABLE.slot(addr));
        final boolean cpuHas = PROCESS.space().encoding().isPresent(cpu);
        final boolean deviceHas = DevicePte.has(DEVICE.table().load(addr / PAGE_SIZE), DevicePte.ATOMIC);
        r.r1 = (deviceHas ? 1 : 0) + (cpuHas ? 2 : 0);
        PROCESS.madvise(World.task(), addr, PAGE_SIZE, Advice.DONTNEED);
    }
}
