package mmutex.bench.baseline;

/** Who implements {@link ExclusivePages}. */
public enum Implementation {
    /** The emulator, whole: {@link EmulatedPages}. */
    MMUTEX {
        @Override
        public ExclusivePages open(final int pages, final int cpus, final int devices) {
            return new EmulatedPages(pages, cpus, devices);
        }
    },
    /** {@link ChmTable}. */
    CHM {
        @Override
        public ExclusivePages open(final int pages, final int cpus, final int devices) {
            return new ChmTable(pages, cpus, RivalDevice.several(devices, pages));
        }
    },
    /** {@link ChmProtocolTable}. */
    CHM_STEPS {
        @Override
        public ExclusivePages open(final int pages, final int cpus, final int devices) {
            return new ChmProtocolTable(pages, cpus, devices);
        }
    },
    /** {@link StampedTable}. */
    STAMPED {
        @Override
        public ExclusivePages open(final int pages, final int cpus, final int devices) {
            return new StampedTable(pages, cpus, RivalDevice.several(devices, pages));
        }
    },
    /** {@link SynchronizedTable}. */
    SYNCHRONIZED {
        @Override
        public ExclusivePages open(final int pages, final int cpus, final int devices) {
            return new SynchronizedTable(pages, cpus, RivalDevice.several(devices, pages));
        }
    };

    /**
     * Sets pages up: all present, all counters 0.
     *
     * @param pages 1 to 262,144; 4 KiB of memory each, direct memory for ours, heap for the others
     * @param cpus CPUs, from 1
     * @param devices devices, from 1
     */
    public abstract ExclusivePages open(int pages, int cpus, int devices);
}
