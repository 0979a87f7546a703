package mmutex.inject;

import static java.util.Map.entry;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaAccess;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.domain.JavaMethodCall;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import mmutex.machine.Machine;
import mmutex.memory.FrameAllocator;
import mmutex.memory.RadixTable;
import mmutex.memory.SwapSlots;
import mmutex.memory.TableArena;
import mmutex.mm.DeviceMemory;
import mmutex.mm.FileMapping;
import mmutex.mm.HugePagePool;
import mmutex.mm.HugeZero;
import mmutex.mm.PageTable;
import mmutex.mm.Platform;
import mmutex.mm.SwapCache;
import org.junit.jupiter.api.Test;

/**
 * Every place in core that takes a frame, a table, a slot, or a page of a device or a pool, with the operations that
 * {@link FaultInjectionTest} makes run out there, or the test that does. A new place needs a line here, and so an operation.
 */
class AllocationPointsTest {
    /** Who hands out, and the methods that do. */
    private static final Map<Class<?>, Set<String>> ALLOCATORS = Map.ofEntries(
            entry(
                    FrameAllocator.class,
                    Set.of("allocate", "allocateZeroed", "allocateCompound", "allocateCompoundZeroed")),
            entry(TableArena.class, Set.of("allocate")),
            // And who asks whether there was room for the root.
            entry(RadixTable.class, Set.of("slotOrCreate", "upperSlotOrCreate", "allocateLeaf", "hasRoot")),
            entry(PageTable.class, Set.of("slotOrCreate", "upperSlotOrCreate")),
            entry(SwapSlots.class, Set.of("allocate", "allocateRow")),
            entry(SwapCache.class, Set.of("allocate")),
            entry(DeviceMemory.class, Set.of("allocate")),
            entry(HugePagePool.class, Set.of("grow", "take", "reserve")),
            entry(HugeZero.class, Set.of("get")),
            entry(FileMapping.class, Set.of("lockPage", "reserve")),
            entry(Platform.class, Set.of("createFile")));

    /** Those that only pass on what another one hands out, so that their callers count. */
    private static final Set<Class<?>> GO_BETWEENS = Set.of(
            FrameAllocator.class,
            RadixTable.class,
            PageTable.class,
            Platform.class,
            HugeZero.class,
            DeviceMemory.class,
            SwapCache.class);

    private static final Map<String, List<String>> COVERED = Map.ofEntries(
            // ---- faults
            entry("FirstTouch.handle", List.of("first write", "first read")),
            entry("FirstTouch.write", List.of("first write")),
            entry("WriteProtectFault.allocate", List.of("write to the zero page", "write to shared pages")),
            entry("SwapIn.handle", List.of("read of swapped pages", "write to swapped pages", "swapoff")),
            entry("FileFault.handle", List.of("first write to shared memory", "first read of shared memory")),
            entry("FileFault.share", List.of("first write to shared memory", "first read of shared memory")),
            entry("FileFault.copy", List.of("first write to a file's private pages")),
            entry("FileMapping.create", List.of("first write to shared memory", "write(2) to a file")),
            entry("HugeFault.create", List.of("first write to a huge page", "first read of a huge page")),
            entry("HugeWriteFault.replaceZero", List.of("write to a page under the huge page of zeroes")),
            entry("HugePageFault.handle", List.of("first write to a page of the pool")),
            entry("HugePageFault.take", List.of("write to a shared page of the pool")),
            // ---- calls
            entry("Forker.copyTable", List.of("fork", "fork with exclusive pages", "fork with swapped pages")),
            entry("Forker.copyPinned", List.of("fork with pinned pages")),
            entry("HugePmds.copy", List.of("fork with a huge page")),
            entry("Mover.moveTables", List.of("mremap", "mremap of exclusive pages")),
            entry("HugePmds.move", List.of("mremap of a huge page")),
            entry("Collapser.collapseHugePage", List.of("MADV_COLLAPSE")),
            entry("UserFaultRegistrar.fillWithCopy", List.of("UFFDIO_COPY")),
            entry("UserFaultRegistrar.install", List.of("UFFDIO_COPY", "UFFDIO_ZEROPAGE")),
            entry("Reclaimer.reclaimIsolated", List.of("swap-out")),
            entry("FileMapper.insertPage", List.of("mmap of a driver's pages")),
            entry("FileMapper.mapOwn", List.of("mmap of shared memory", "mmap of a driver's pages")),
            entry("FileMapper.reserve", List.of("mmap of pages of the pool")),
            entry("FileMapping.reserve", List.of("mmap of pages of the pool")),
            entry("FileMapping.hasRoot", List.of("mmap of shared memory")),
            entry("Machine.newSpace", List.of("fork")),
            entry("File.transfer", List.of("write(2) to a file", "read(2) of a file")),
            entry("HugePagePool.grow", List.of("FallbackTest.shouldSetNothingApartIfNotAllCanBe")),
            entry("Machine.reserveHugePages", List.of("FallbackTest.shouldSetNothingApartIfNotAllCanBe")),
            entry("Machine.newFile", List.of("FallbackTest.shouldRefuseWhatIsNoSystemCall")),
            entry("Compactor.compact", List.of("FallbackTest.shouldMoveNothingWithoutRoom")),
            // ---- devices
            entry("DeviceMigration.insert", List.of("migration of untouched pages to a device")),
            entry("MirrorDevice.allocate", List.of("migration to a device")),
            entry("MirrorMigrator.copyToSystem", List.of("write to migrated pages", "migration to ordinary memory")),
            entry("MirrorMigrator.evictBatch", List.of("eviction from a device")),
            entry(
                    "DevicePageTable.store",
                    List.of("device read", "make untouched pages exclusive", "device fault, atomic")));

    private static final JavaClasses CORE = new ClassFileImporter()
            .importUrl(Machine.class.getProtectionDomain().getCodeSource().getLocation());

    @Test
    void shouldKnowEveryPlaceThatAllocates() {
        final Set<String> found = CORE.stream()
                .filter(type -> GO_BETWEENS.stream().noneMatch(type::isEquivalentTo))
                .flatMap(type -> type.getMethodCallsFromSelf().stream())
                .filter(AllocationPointsTest::allocates)
                .map(AllocationPointsTest::caller)
                .collect(Collectors.toCollection(TreeSet::new));

        assertThat(found).containsExactlyInAnyOrderElementsOf(COVERED.keySet());
    }

    private static boolean allocates(final JavaMethodCall call) {
        return ALLOCATORS.entrySet().stream()
                .anyMatch(allocator -> call.getTargetOwner().isEquivalentTo(allocator.getKey())
                        && allocator.getValue().contains(call.getTarget().getName()));
    }

    private static String caller(final JavaAccess<?> call) {
        return call.getOriginOwner().getSimpleName() + "." + call.getOrigin().getName();
    }

    @Test
    void shouldMakeEachOfThemRunOut() {
        final Set<String> operations =
                Operations.ALL.stream().map(Operation::name).collect(Collectors.toSet());
        final Set<String> tests = Arrays.stream(FallbackTest.class.getDeclaredMethods())
                .map(method -> FallbackTest.class.getSimpleName() + "." + method.getName())
                .collect(Collectors.toSet());

        COVERED.forEach((place, by) -> assertThat(by)
                .as(place)
                .isNotEmpty()
                .allMatch(name -> operations.contains(name) || tests.contains(name)));
    }
}
