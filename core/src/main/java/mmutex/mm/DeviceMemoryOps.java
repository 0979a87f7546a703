package mmutex.mm;

/**
 * What a driver does for the memory of its device: {@code struct dev_pagemap_ops}, include/linux/memremap.h (6.12).
 *
 * <p>Threads: any, several at once.
 */
@FunctionalInterface
public interface DeviceMemoryOps {
    /**
     * migrate_to_ram: a CPU, or get_user_pages, wants a page that lives in the device. The driver migrates it to ordinary
     * memory, or not: then the access comes again. Called with the mmap lock held shared, no leaf-table lock, and a
     * reference on the frame; with the frame's page lock too where the profile's fault takes it.
     *
     * @param vma where the page is mapped
     * @param addr page-aligned
     * @param pfn the device-private frame
     * @return {@link FaultResult#DONE}, OOM, or SIGBUS
     */
    int migrateToRam(Task task, Vma vma, long addr, long pfn);
}
