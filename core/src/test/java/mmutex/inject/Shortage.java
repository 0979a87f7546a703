package mmutex.inject;

/** What a machine can run out of. */
enum Shortage {
    FRAMES,
    TABLES,
    SWAP_SLOTS,
    DEVICE_MEMORY,
    /** Runs of frames for large folios. */
    COMPOUND_PAGES,
    /** Huge pages of the pool. */
    POOLED_PAGES;

    /** Takes all of it but a few. */
    Hoard take(final Scene scene, final int left) {
        switch (this) {
            case FRAMES:
                return Hoard.ofFrames(scene.emulation.platform, left);
            case TABLES:
                return Hoard.ofTables(scene.emulation.platform, left);
            case SWAP_SLOTS:
                return Hoard.ofSwapSlots(scene.emulation.platform.swap(), left);
            case DEVICE_MEMORY:
                return Hoard.ofDeviceMemory(scene.emulation.platform, scene.mirrorMemory(), left);
            case COMPOUND_PAGES:
                return Hoard.ofCompoundPages(scene.emulation.platform, left);
            default:
                return Hoard.ofPooledPages(scene.emulation.platform, scene.cpu, left);
        }
    }
}
