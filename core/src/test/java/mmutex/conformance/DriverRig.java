package mmutex.conformance;

import static mmutex.machine.Emulation.PAGE;
import static mmutex.machine.Emulation.addr;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import java.util.stream.Stream;
import mmutex.check.NotifierWatch;
import mmutex.device.DeviceAccess;
import mmutex.device.DeviceLane;
import mmutex.device.DeviceOperation;
import mmutex.device.DevicePte;
import mmutex.device.DriverSpec;
import mmutex.device.LaneProgram;
import mmutex.device.RetryPolicy;
import mmutex.device.SvmDevice;
import mmutex.machine.Emulation;
import mmutex.machine.MachineSpec;
import mmutex.mm.Errno;
import mmutex.mm.Quirk;
import mmutex.mm.SemanticProfile;
import mmutex.mm.Task;
import mmutex.notify.Delivery;
import mmutex.notify.NotifierRange;
import mmutex.notify.NotifierSubscriber;
import mmutex.notify.Protocol;
import mmutex.sync.Actor;

/**
 * The set-up of the driver scenarios: a process, devices on its memory with a thread each where they need one, a clock that
 * tests turn, and a watch over the notifications.
 */
final class DriverRig {
    static final long ATOMIC = DevicePte.VALID | DevicePte.WRITE | DevicePte.ATOMIC;
    static final long PLAIN_WRITE = DevicePte.VALID | DevicePte.WRITE;
    static final long MILLISECOND = 1_000_000;

    /** What a scenario is run on. */
    record Setting(SemanticProfile profile, Delivery delivery, Protocol protocol) {
        /** Every profile with either delivery; the other protocols on the two that differ most. */
        static Stream<Setting> all() {
            return SemanticProfile.ALL.stream()
                    .flatMap(profile -> Stream.of(Delivery.values())
                            .flatMap(delivery -> Stream.of(Protocol.values())
                                    .map(protocol -> new Setting(profile, delivery, protocol))))
                    .filter(setting -> setting.protocol == Protocol.INTERVAL
                            || setting.profile == SemanticProfile.K612
                            || setting.profile == SemanticProfile.K615);
        }

        /** Where the driver knows its own events, and so asks readRetry at all. */
        static Stream<Setting> withOwner() {
            return all().filter(setting -> setting.profile.makePassesOwner());
        }

        /** For scenarios that don't depend on who runs callbacks. */
        static Stream<Setting> inlineWithOwner() {
            return withOwner().filter(setting -> setting.delivery == Delivery.INLINE);
        }

        @Override
        public String toString() {
            return profile + " " + delivery + " " + protocol;
        }
    }

    final Setting setting;
    final Emulation emulation;
    final List<SvmDevice> devices = new ArrayList<>();
    final AtomicLong clockNs = new AtomicLong();
    final NotifierWatch watch;

    /** What the clock moves whenever it is read. */
    final AtomicLong tickNs = new AtomicLong();

    private final List<Engine> engines = new ArrayList<>();

    DriverRig(final Setting setting, final int deviceCount) {
        this(setting, deviceCount, DriverSpec.defaults());
    }

    DriverRig(final Setting setting, final int deviceCount, final RetryPolicy policy, final Quirk... quirks) {
        this(setting, deviceCount, DriverSpec.defaults().withRetryPolicy(policy).withQuirks(quirks));
    }

    DriverRig(final Setting setting, final int deviceCount, final DriverSpec spec) {
        this.setting = setting;
        this.emulation = new Emulation(new MachineSpec(setting.profile, "x86-64", setting.delivery, 3, 256, 160, 4)
                .withDriver(spec.withProtocol(setting.protocol)));
        for (int i = 0; i < deviceCount; i++) {
            devices.add(emulation.machine.newDevice(
                    emulation.cpu, emulation.process, 8, () -> clockNs.addAndGet(tickNs.get())));
        }
        this.watch = NotifierWatch.of(emulation.cpu, emulation.space);
        devices.forEach(watch::with);
        if (setting.delivery == Delivery.RING) {
            devices.forEach(device -> engines.add(new Engine(device)));
        }
    }

    SvmDevice device() {
        return devices.get(0);
    }

    // ---- faults ---------------------------------------------------------------------------------------------

    Errno fault(final long page, final DeviceAccess access) {
        return fault(device(), page, access);
    }

    /** A fault, resolved by the device's thread if it has one. */
    Errno fault(final SvmDevice device, final long page, final DeviceAccess access) {
        return on(device, () -> device.driver().resolve(device.worker(), addr(page) + 16, access));
    }

    /** Lets the lanes run, each its program, until all have ended or are cancelled. */
    void run(final SvmDevice device, final LaneProgram... programs) {
        on(device, () -> {
            for (int i = 0; i < programs.length; i++) {
                device.lanes().get(i).start(programs[i]);
            }
            while (!device.worker().isFinished()) {
                device.worker().work();
            }
            return null;
        });
    }

    /** Has something done by the device's thread, or here if it has none. */
    <T> T on(final SvmDevice device, final Supplier<T> work) {
        for (final Engine engine : engines) {
            if (engine.device == device && engine.thread != Thread.currentThread()) {
                return engine.ask(work);
            }
        }
        return work.get();
    }

    /** A program that performs one access and ends. */
    static LaneProgram once(final long page, final DeviceAccess access) {
        final long addr = addr(page);
        switch (access) {
            case READ:
                return lane -> !lane.loadLong(addr);
            case WRITE:
                return lane -> !lane.storeLong(addr + 8, 1);
            case ATOMIC:
                return lane -> !lane.modifyLong(addr + 16, access, DeviceOperation.ADD, 1, 0);
            default:
                return new LaneProgram() {
                    private boolean hinted;

                    @Override
                    public boolean step(final DeviceLane lane) {
                        if (hinted) {
                            return false;
                        }
                        hinted = true;
                        return !lane.prefetch(addr);
                    }
                };
        }
    }

    /** Adds 1 to a word, so many times. */
    static LaneProgram adder(final long addr, final int times) {
        return new LaneProgram() {
            private int done;

            @Override
            public boolean step(final DeviceLane lane) {
                if (lane.modifyLong(addr, DeviceAccess.ATOMIC, DeviceOperation.ADD, 1, 0)) {
                    done++;
                }
                return done < times;
            }
        };
    }

    /**
     * Something done, once, by the device's thread when it has converted a page and not yet taken its driver lock: the page
     * is locked and exclusive, the mmap lock held shared, the conversion's own span over.
     */
    void afterConversion(final SvmDevice device, final Consumer<Task> work) {
        emulation.space.register(emulation.cpu, new NotifierSubscriber() {
            private boolean done;

            @Override
            public void invalidateEnd(final Actor actor, final NotifierRange range) {
                final boolean own = range.event() == setting.profile.makeEvent() && actor == device.worker();
                if (!done && own) {
                    done = true;
                    work.accept((Task) actor);
                }
            }
        });
    }

    /** Gives another thread every chance to go on, if it can. */
    static void letOthersRun() {
        for (int i = 0; i < 500; i++) {
            Thread.yield();
        }
    }

    // ---- questions ------------------------------------------------------------------------------------------

    long entry(final SvmDevice device, final long page) {
        return device.table().load(addr(page) / PAGE);
    }

    long flags(final long page) {
        return flags(device(), page);
    }

    long flags(final SvmDevice device, final long page) {
        return entry(device, page) & 0xff;
    }

    void assertMaps(final SvmDevice device, final long page, final long flags) {
        assertThat(flags(device, page)).isEqualTo(flags);
        assertThat(DevicePte.frameNumber(entry(device, page))).isEqualTo(emulation.frame(page));
    }

    void assertMapsNothing(final SvmDevice device) {
        assertThat(device.table().nextValid(0, device.table().pageLimit()))
                .isEqualTo(device.table().pageLimit());
    }

    /** CN-1's last lines: page unlocked, nothing but the entry refers to it, no subscription left. */
    void assertAtRest(final long page) {
        assertThat(emulation.platform.pageLock().isLocked(emulation.frame(page)))
                .isFalse();
        assertThat(emulation.frames.refCount(emulation.frame(page))).isEqualTo(1);
        assertNoSubscriptionIsLeft();
        assertThat(emulation.space.mmapLock().isHeld()).isFalse();
        devices.forEach(device -> assertThat(device.lock().isHeld()).isFalse());
    }

    void assertNoSubscriptionIsLeft() {
        assertThat(emulation.space.notifiers().snapshot(emulation.cpu).subscriptionSeqs())
                .isEmpty();
    }

    // ---- the end --------------------------------------------------------------------------------------------

    /** Stops the threads; then what tests call happens on theirs. */
    void stopEngines() {
        engines.forEach(Engine::stop);
        engines.clear();
    }

    /** Everything is taken apart; nothing may be left, and the watch has seen nothing wrong. */
    void end() {
        emulation.assertSound();
        watch.report().orThrow();
        stopEngines();
        for (final SvmDevice device : devices) {
            watch.without(device);
            device.worker().stop();
            emulation.machine.removeDevice(emulation.cpu, device);
        }
        devices.clear();
        watch.unwatch(emulation.cpu);
        emulation.assertNothingIsLeft();
        watch.report().orThrow();
    }

    /** A device's thread: serves its ring, and does what it is asked to. */
    private static final class Engine {
        private final SvmDevice device;
        private final LinkedBlockingQueue<Runnable> asked = new LinkedBlockingQueue<>();
        private final Thread thread;
        private volatile boolean stopping;

        private Engine(final SvmDevice device) {
            this.device = device;
            this.thread = new Thread(this::serve, "engine" + device.id());
            thread.setDaemon(true);
            thread.start();
        }

        private void serve() {
            while (!stopping || !asked.isEmpty()) {
                final Runnable work = asked.poll();
                if (work != null) {
                    work.run();
                } else if (!device.worker().work()) {
                    device.worker().idle();
                }
            }
            device.worker().stop();
        }

        private <T> T ask(final Supplier<T> work) {
            final CompletableFuture<T> answer = new CompletableFuture<>();
            asked.add(() -> {
                try {
                    answer.complete(work.get());
                } catch (final Throwable t) {
                    answer.completeExceptionally(t);
                }
            });
            device.worker().wake();
            return answer.join();
        }

        private void stop() {
            stopping = true;
            device.worker().wake();
            try {
                thread.join();
            } catch (final InterruptedException e) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
