/**
 * What an address space is, and what all of a machine's address spaces share.
 *
 * <ul>
 *   <li>{@link mmutex.mm.Platform}: encoding, profile, frames, tables: the physical side.
 *   <li>{@link mmutex.mm.AddressSpace}: VMAs, page table, counters, subscribers ({@code struct mm_struct}).
 *   <li>{@link mmutex.mm.PageTable}: entries as packed words in off-heap tables, a lock per leaf table.
 *   <li>{@link mmutex.mm.Vma}, {@link mmutex.mm.VmaSet}, {@link mmutex.mm.VmaEditor}: mapped ranges, how they are found
 *       without a lock, and the kernel's rules for splitting and merging them.
 *   <li>{@link mmutex.mm.ReverseMap}, {@link mmutex.mm.AnonVma}, {@link mmutex.mm.MappedWalk}: from a frame to the entries
 *       that map it.
 *   <li>{@link mmutex.mm.FileMapping}: a file's page cache, its size, and the VMAs that map it ({@code struct address_space});
 *       {@link mmutex.mm.HugePagePool}: memory set apart for hugetlb mappings.
 *   <li>{@link mmutex.mm.SemanticProfile}: the switches in which kernel generations differ.
 * </ul>
 *
 * An entry is read without lock as a hint and compared again under its table's lock before anybody acts on it. Counts
 * follow the kernel's rules exactly, since they are what the referees in {@code check} check:
 *
 * <pre>
 *   refcount(frame) = present entries + exclusive entries + references of page getters and threads in flight
 *                   + 1 in a page cache or the huge-page pool
 *   mapcount(frame) = present entries (up to 6.14), and exclusive entries (6.15 and later)
 *   anonPages(space) = present anonymous entries + exclusive entries; likewise shmemPages and filePages
 * </pre>
 *
 * The zero frame counts in none of these.
 */
package mmutex.mm;
