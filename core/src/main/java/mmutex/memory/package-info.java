/**
 * Off-heap bytes, each kind with one owner.
 *
 * <ul>
 *   <li>{@link mmutex.memory.Words}: a growing region of 2 MiB segments, addressed by long offsets, with the access
 *       modes named at the call. Nobody else touches a buffer.
 *   <li>{@link mmutex.memory.FrameTable}: one cache line of record per frame (the kernel's {@code struct page}).
 *   <li>{@link mmutex.memory.FrameAllocator}: which frames are free.
 *   <li>{@link mmutex.memory.FrameData}: what the frames contain.
 *   <li>{@link mmutex.memory.TableArena}: storage of page tables and of the line of metadata beside each.
 *   <li>{@link mmutex.memory.RadixTable}: a radix tree of such tables, shared by CPU and device page tables.
 * </ul>
 *
 * Words here mean nothing yet: what a page-table entry or a flag says is decided in {@code layout}, {@code mm} and
 * {@code device}.
 */
package mmutex.memory;
